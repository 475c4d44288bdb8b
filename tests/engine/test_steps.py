"""Steps cover a response exactly, begin where a reader would say so, and keep formulas and code whole."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.steps import split_steps

FRAGMENTS = st.sampled_from(
    [
        "\n",
        "\n\n",
        "a",
        "b c",
        "1. x",
        "2) y",
        "\\[",
        "\\]",
        "$$",
        "```",
        "~~~",
        "\\begin{align}",
        "\\end{align}",
        " ",
        "Step 3",
        "\r",
    ]
)


@given(st.text(max_size=100) | st.lists(FRAGMENTS, max_size=40).map("".join))
def test_steps_cover_the_text_exactly(text: str) -> None:
    steps = split_steps(text)
    assert "".join(text[step.start : step.end] for step in steps) == text
    assert all(step.start < step.end for step in steps)


def parts(text: str) -> list[str]:
    return [text[step.start : step.end].strip() for step in split_steps(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("one", ["one"]),
        ("one\ntwo", ["one\ntwo"]),
        ("one\n\ntwo\n\n\nthree\n", ["one", "two", "three"]),
        ("\n\n  one", ["one"]),
        ("intro:\n1. a\n2. b\n(3) c", ["intro:", "1. a", "2. b", "(3) c"]),
        ("**Step 1:** a\n### Step 2\nb", ["**Step 1:** a", "### Step 2\nb"]),
        ("it is\n3.5 or\n2024. no", ["it is\n3.5 or\n2024. no"]),
        ("so\n\\[\na\n\n= b\n\\]\nthus\n\nend", ["so\n\\[\na\n\n= b\n\\]\nthus", "end"]),
        ("$$\n1. x\n\ny\n$$\n\nz", ["$$\n1. x\n\ny\n$$", "z"]),
        ("```python\na = 1\n\n1. b\n```\n\nc", ["```python\na = 1\n\n1. b\n```", "c"]),
        ("\\begin{align}a\n\nb\\end{align}\n\nc", ["\\begin{align}a\n\nb\\end{align}", "c"]),
        ("open \\[ a\n\nb", ["open \\[ a", "b"]),
        ("```\nopen\n\nb", ["```\nopen", "b"]),
    ],
)
def test_steps_begin_where_a_reader_would_say(text: str, expected: list[str]) -> None:
    assert parts(text) == expected


def test_a_stray_delimiter_does_not_swallow_the_trace() -> None:
    text = "costs $$ 5\n\n" + "a paragraph of words\n\n" * 400 + "$$"
    assert len(split_steps(text)) > 390


@pytest.mark.parametrize(
    "text", ["\\[" * 200_000, "$$\n" * 200_000, "\n" * 500_000, "1. a\n" * 100_000, "```\n\\begin{a}" * 50_000]
)
def test_hostile_text_takes_linear_time(text: str) -> None:
    start = time.process_time()
    split_steps(text)
    assert time.process_time() - start < 3
