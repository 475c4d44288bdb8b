"""How the bundled models and their study were made: run it again and the same seeds give them again.

    python -m sample_data.recipe.make OUT       # problems, corpus, tokenizer, base, RL, distilled
    python -m sample_data.recipe.bundle         # the bundled study, out of what they write to the held-out problems

problems.py   three families of word problems with integer answers, and how their numbers are split
chains.py     strategies that write a solution step by step, with slips, dead ends and guesses
corpus.py     documents of both, and the tokenizer trained on them
pretrain.py   the base model, and the distilled one
reinforce.py  RL on checked answers
make.py       all of it in order, with a log of losses, rewards and seconds

sample_data/CARD.md says what came out, what was tried, and what the task favours.
"""
