"""Documents to learn from, and the tokenizer trained on them.

A document is a prompt and a response; the two are encoded apart, as they are when a model is asked. Prompts carry a tenth of
the weight in the loss. Some documents are drills: one line of arithmetic.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from random import Random
from typing import Final

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from sample_data import PROMPT
from sample_data.recipe.chains import CLEAN, SLOPPY, STRATEGIES, fits, solve
from sample_data.recipe.problems import FAMILIES, Task, tasks

END: Final = "<|end|>"
PAD: Final = "<|pad|>"
VOCABULARY: Final = 512
PROMPT_WEIGHT: Final = 0.1
DRILLS: Final = 0.4
HARD: Final = 0.15
"""Share of hard problems in the base model's corpus."""
HARD_FOR_DISTILLED: Final = 0.5


@dataclass(frozen=True, slots=True)
class Document:
    prompt: str
    response: str


@dataclass(frozen=True, slots=True)
class Encoded:
    """ids of prompt, response and the end token; the first `prompt` of them are the prompt's."""

    ids: tuple[int, ...]
    prompt: int


def prompt_of(task: Task) -> str:
    return PROMPT.format(problem=task.statement)


def sloppy_documents(rng: Random) -> Iterator[Document]:
    """What the base model reads: drills, and chains by a strategy that nobody chose with care."""
    streams = {(f, h): tasks(rng, f, h, "pretrain") for f in FAMILIES for h in (False, True)}
    while True:
        if rng.random() < DRILLS:
            yield Document("", drill(rng))
        else:
            task = next(streams[rng.choice(FAMILIES), rng.random() < HARD])
            yield Document(prompt_of(task), solve(task, rng, SLOPPY))


def clean_documents(rng: Random) -> Iterator[Document]:
    """What the distilled model reads: a patient teacher who picks a strategy that works, and never slips."""
    streams = {(f, h): tasks(rng, f, h, "pretrain") for f in FAMILIES for h in (False, True)}
    while True:
        task = next(streams[rng.choice(FAMILIES), rng.random() < HARD_FOR_DISTILLED])
        names = [name for name in STRATEGIES[task.family] if name not in ("direct", "tries", "try") and fits(task, name, CLEAN)]
        if names:
            yield Document(prompt_of(task), solve(task, rng, CLEAN, rng.choice(names)))


def drill(rng: Random) -> str:
    """One line of arithmetic, of the kinds that chains are made of."""
    return rng.choice(_DRILLS)(rng)


def _times_digit(rng: Random) -> str:
    a, b = rng.randint(2, 99), rng.randint(2, 9)
    return f"{a} × {b} = {a * b}."


def _times_tens(rng: Random) -> str:
    a, b = rng.randint(2, 99), rng.randint(1, 5) * 10
    return f"{a} × {b} = {a * b}."


def _times(rng: Random) -> str:
    a, b = sorted((rng.randint(2, 45), rng.randint(2, 45)))
    return f"{a} × {b} = {a * b}."


def _plus(rng: Random) -> str:
    a, b = rng.randint(10, 4500), rng.randint(2, 900)
    return f"{a} + {b} = {a + b}."


def _minus(rng: Random) -> str:
    a = rng.randint(20, 6400)
    b = rng.randint(2, min(a, 6000))
    return f"{a} - {b} = {a - b}."


def _leaves(rng: Random) -> str:
    a, b = rng.randint(2, 110), rng.randint(3, 11)
    return f"{a} leaves {a % b} by {b}."


def _square(rng: Random) -> str:
    a = rng.randint(2, 80)
    return rng.choice((f"The square of {a} is {a * a}.", f"The root of {a * a} is {a}."))


_DRILLS: Final = (_times_digit, _times_tens, _times, _plus, _minus, _leaves, _square)


def train_tokenizer(rng: Random) -> Tokenizer:
    """Byte-level BPE with one token a digit and whole words."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        special_tokens=[END, PAD],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    texts = (part for d in islice(sloppy_documents(rng), 20_000) for part in (d.prompt, d.response))
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer


def encode(tokenizer: Tokenizer, document: Document) -> Encoded:
    prompt = tokenizer.encode(document.prompt).ids if document.prompt else []
    response = tokenizer.encode(document.response).ids
    end: int = tokenizer.token_to_id(END)  # type: ignore[assignment] # it is a special token: always there
    return Encoded((*prompt, *response, end), len(prompt))
