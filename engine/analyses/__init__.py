"""What the counts say: pure functions of numpy and scipy. Nothing here opens a study.

Most take arrays of n (judged samples) and c (correct ones), one entry per problem, so that the same functions serve a screen's
worker, the command line and a notebook. One run: `passk`, `accuracy`, `majority`, over `hypergeometric`; how far they can be
trusted and what further samples would bring: `intervals`, `prior`, `ladder`, `beyond`. Two runs: their difference in `pairs`,
`signflip` and `crossover`, the problems that only one of them solves in `coverage`, `joint`, `boundary` and `reach`, where to
draw more in `planning`. Many tests: `many`. Right by luck: `guess` without a chain of thought, `cot` with one. Auditors:
`agreement`, and what their labels could still change in `influence`, `turning` and `clearing`. Texts and likelihoods:
`duplicates`, `surface`, `perplexity`. Import the module you need: this package imports nothing, because the first paint must
not wait for numpy.
"""
