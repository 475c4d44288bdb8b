"""Values that several commands take, read from the command line."""

from __future__ import annotations

import argparse


def whole_number(text: str) -> int:
    """A number from 1 up."""
    if not (text.strip().isdecimal() and 0 < int(text) < 10**9):
        raise argparse.ArgumentTypeError(f"'{text}' is not a whole number from 1 up")
    return int(text)


def whole_numbers(text: str) -> list[int]:
    """Numbers from 1 up, separated by commas."""
    return [whole_number(part) for part in text.split(",")]
