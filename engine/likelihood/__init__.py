"""Likelihood: what a model thinks of a response, token by token.

scorer.py runs the model; the stage `score` in engine/scoring.py asks the study what is missing and writes the sums.
"""
