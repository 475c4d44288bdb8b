"""How token ids read: the characters of a text that each of them brings, and how one reads alone; and a text as token ids.

Tokens are bytes, or parts of words, and what one brings may depend on its neighbours: a character's bytes may be spread over
several, and some tokenizers drop the space that a text begins with. So ids are decoded in a window that moves along with
them, which takes time in proportion to their number, and what comes out is held against the text: nothing is guessed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from typing import Any, Final

_BROKEN: Final = "\ufffd"
"""What the bytes of a part of a character are shown as."""
_MOST_HELD: Final = 3
"""Bytes of a character whose last one is still to come."""
_WINDOW: Final = 16
"""Tokens that are decoded again while no character is whole."""
_SURROGATE: Final = re.compile("[\ud800-\udfff]")
"""Half of a character: a text may hold one, a tokenizer takes none."""
_LOST: Final = re.compile("[\udc80-\udcff]")
"""Bytes that are no character, as Python's surrogateescape has them."""

TextOf = Callable[[Sequence[int]], str]


def spans(tokenizer: Any, ids: Sequence[int], text: str) -> tuple[int, ...] | None:
    """Characters of the text that each token brings; the bytes of one character spread over tokens bring 0, ..., 0, 1.

    A token at the end that the text lacks, as a stop token, brings none. A text that was cut before a longer stop string is the
    beginning of what the ids read: then the tokens together bring more. None where the ids read otherwise.
    """
    text, text_of = _whole(text), reader(tokenizer)
    ends = bool(ids) and text_of(ids) != text and text_of(ids[:-1]) == text
    read = list(_read(text_of, ids[:-1] if ends else ids))
    if len(read) < len(ids) - ends or not "".join(read).startswith(text):
        return None
    return (*map(len, read), 0) if ends else tuple(map(len, read))


def pieces(tokenizer: Any, ids: Iterable[int]) -> dict[int, str]:
    """How each of these tokens reads. The bytes of a part of a character read as <0xE4><0xB8>."""
    text_of = reader(tokenizer)
    return {token_id: _piece(tokenizer, text_of, token_id) for token_id in dict.fromkeys(ids)}


def retokenized(tokenizer: Any, text: str) -> tuple[int, ...]:
    """The ids of a text alone, without a token that begins or ends one; "<|endoftext|>" in it stays a text of 13 letters."""
    found = tokenizer(_whole(text), add_special_tokens=False, split_special_tokens=True)["input_ids"]
    return tuple(map(int, found))


def reader(tokenizer: Any) -> TextOf:
    """The text of ids, as samplers have it."""
    backend = getattr(tokenizer, "backend_tokenizer", None)
    if backend is not None:  # the same, without what surrounds it: many short texts are read
        return lambda ids: str(backend.decode(list(ids), skip_special_tokens=False))
    return lambda ids: str(tokenizer.decode(list(ids), skip_special_tokens=False, clean_up_tokenization_spaces=False))


def _whole(text: str) -> str:
    return _SURROGATE.sub(_BROKEN, text)


def _read(text_of: TextOf, ids: Sequence[int]) -> Iterator[str]:
    """What each token adds to the text before it. Ends early where one changes what was read before it."""
    start, whole, told = 0, 0, ""
    """The window begins at `start`; no character is in parts at `whole`; of the window's text, `told` has been given out."""
    for end in range(1, len(ids) + 1):
        text = text_of(ids[start:end])
        firm = text if end == len(ids) else text[: len(text) - len(_held(text))]
        if not firm.startswith(told):
            if end == len(ids) or end - whole > _WINDOW:
                return
            yield ""  # some tokenizers break the characters before it, too, until the last byte of one has come
            continue
        yield firm[len(told) :]
        told = firm
        if firm == text:
            start, whole = max(whole, end - _WINDOW), end
        elif end - start > 2 * _WINDOW:
            start = end - _WINDOW
        else:
            continue
        again = text_of(ids[start:end])
        told = again[: len(again) - len(_held(again))]


def _held(text: str) -> str:
    """What may yet become a character at the end of a text."""
    kept = text.rstrip(_BROKEN)
    return text[max(len(kept), len(text) - _MOST_HELD) :]


def _piece(tokenizer: Any, text_of: TextOf, token_id: int) -> str:
    alone = text_of([token_id])
    if _BROKEN in alone:
        return _bytes(str(tokenizer.convert_ids_to_tokens(token_id)), alone)
    twice = text_of([token_id, token_id])  # some tokenizers drop the space that a text begins with
    return twice[len(alone) :] if twice.startswith(alone) else alone


def _bytes(token: str, otherwise: str) -> str:
    """A token of bytes that are no characters, written out; whole characters among them stay."""
    letters = _byte_letters()
    if token.startswith("<0x"):
        return token
    if not all(letter in letters for letter in token):
        return otherwise
    content = bytes(letters[letter] for letter in token)
    return _LOST.sub(lambda byte: f"<0x{ord(byte[0]) - 0xDC00:02X}>", content.decode("utf-8", "surrogateescape"))


@cache
def _byte_letters() -> dict[str, int]:
    """The letter that stands for each byte in vocabularies of bytes: itself where it can be seen, else one from 256 up
    (Radford et al. 2019, the tokenizer of GPT-2)."""
    seen = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    unseen = [byte for byte in range(256) if byte not in set(seen)]
    return {chr(byte): byte for byte in seen} | {chr(256 + at): byte for at, byte in enumerate(unseen)}
