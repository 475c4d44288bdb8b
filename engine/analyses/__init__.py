"""What the counts say: pass@k and coverage.

Pure numpy over arrays of n (judged samples) and c (correct ones), one entry per problem. Nothing here opens a study, so
the same functions serve a screen's worker, the command line and a notebook. Import the module you need: this package
imports nothing, because the first paint must not wait for numpy.
"""
