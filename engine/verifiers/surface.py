r"""Brings two ways of writing one answer to one text, by rules about LaTeX's surface only.

    normalise(r"\left( \dfrac12,\, 3 \right).")  ->  r"(\frac{1}{2},3)"

Two different answers never become one text: brackets, signs, case, order, exponents and percent signs stay. Nothing is
computed, so 1/2 and 0.5 stay two texts (`quantities` compares those). Normalising twice changes nothing. Meant for answers,
not for whole responses: its rules are repeated until nothing changes.
"""

from __future__ import annotations

import re
from typing import Final

_CHARACTERS: Final = str.maketrans(
    {
        "−": "-",
        "×": r"\times ",
        "·": r"\cdot ",
        "π": r"\pi ",
        "∞": r"\infty ",
        "∪": r"\cup ",
        "≤": r"\le ",
        "≥": r"\ge ",
        "≠": r"\ne ",
        "°": r"^\circ ",
        "％": "%",
    }
)

_THOUSANDS: Final = re.compile(r"([-+]?[1-9][0-9]{0,2})((?:(?:,|\{,\}|\\,|\s)[0-9]{3})+)((?:\.[0-9]+)?)")
"""A whole answer written in groups of three digits. Within a longer answer a comma separates, as in (1,234)."""

_WRAPPERS: Final = r"(?:text|textbf|textit|textrm|textnormal|mathrm|mathbf|mathit|mbox|operatorname|boxed|fbox)"

_RULES: Final = tuple(
    (re.compile(pattern), replacement)
    for pattern, replacement in (
        # What only moves ink: \! \left \right \big \displaystyle, then the spaces.
        (r"\\!", ""),
        (r"\\(?:left|right)(?![A-Za-z])\.?", ""),
        (r"\\[bB]igg?[lr]?(?![A-Za-z])", ""),
        (r"\\(?:displaystyle|textstyle)(?![A-Za-z])", " "),
        (r"(?<=[0-9])(?:\{,\}|\\,)(?=[0-9]{3}(?![0-9]))", ""),
        (r"\\[,;: ]|\\q?quad(?![A-Za-z])|~", " "),
        # One name for one thing.
        (r"\\[dtc]frac(?![A-Za-z])", r"\\frac"),
        (r"\\([lgn])eq(?![A-Za-z])", r"\\\1e"),
        (r"\\lbrace(?![A-Za-z])", r"\\{"),
        (r"\\rbrace(?![A-Za-z])", r"\\}"),
        (r"\\degree(?![A-Za-z])|\^\s*\{\s*\\circ\s*\}", r"^\\circ "),
        (r"\\%", "%"),
        (r"\\?\$(?=\s*\.?[0-9])", ""),  # a price; dollars around the whole answer have gone before
        # \text{cm} is cm, except where its braces hold an argument together: x^\text{23}.
        (rf"(?<![\^_])(?<!\\sqrt)(?<!\\frac)\\{_WRAPPERS}\s*\{{([^{{}}]*)\}}", r"\1"),
        # Arguments that need no braces have them: \frac12. Exponents that need none have none: x^{2}.
        (r"\\frac\s*([0-9])\s*([0-9])(?![0-9])", r"\\frac{\1}{\2}"),
        (r"\\frac\s*([0-9])\s*\{", r"\\frac{\1}{"),
        (r"(\\frac\s*\{[^{}]*\})\s*([0-9])(?![0-9])", r"\1{\2}"),
        (r"\\sqrt\s*([0-9])(?![0-9])", r"\\sqrt{\1}"),
        (r"([\^_])\s*\{\s*([A-Za-z0-9])\s*\}(?![A-Za-z0-9])", r"\1\2"),
        # White space counts between two letters or digits ("1 1/2" is not 11/2) and where a comma would turn into a
        # separator of thousands without it.
        (r"\s+", " "),
        (r"(?<![A-Za-z0-9,]) | (?![A-Za-z0-9])", ""),
        (r"(?<=,) (?![0-9]{3}(?![0-9]))", ""),
        (r"(?<!\.)\.$", ""),
    )
)

_DELIMITERS: Final = (("$$", "$$"), ("$", "$"), (r"\(", r"\)"), (r"\[", r"\]"))


def normalise(answer: str) -> str:
    """The one text for all ways of writing this answer that differ on the surface only."""
    text = answer
    while (cleaner := _clean(text)) != text:
        text = cleaner
    return text


def without_delimiters(text: str) -> str:
    r"""The text without the $...$, $$...$$, \(...\) or \[...\] around the whole of it, and without outer white space."""
    text = text.strip()
    for opening, closing in _DELIMITERS:
        inner = text.removeprefix(opening).removesuffix(closing)
        if len(text) == len(inner) + len(opening) + len(closing) and opening not in inner and closing not in inner:
            return inner.strip()
    return text


def _clean(text: str) -> str:
    """One round of all rules."""
    text = _join_thousands(without_delimiters(text.translate(_CHARACTERS)))
    for pattern, replacement in _RULES:
        text = pattern.sub(replacement, text)
    return text


def _join_thousands(text: str) -> str:
    """1,234,567 and 1{,}234{,}567 without what separates the groups."""
    number = _THOUSANDS.fullmatch(text)
    if number is None:
        return text
    head, groups, decimals = number.groups()
    return head + re.sub(r"[^0-9]", "", groups) + decimals
