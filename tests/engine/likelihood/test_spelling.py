"""How token ids read: each character belongs to one token, whatever its bytes; and no text becomes a token that ends one."""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import cache
from itertools import accumulate
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import AutoTokenizer, PreTrainedTokenizerFast

from engine.likelihood.spelling import pieces, retokenized, spans
from sample_data import BASE

HARD = "é漢字😀👩‍👩‍👧‍👦e\u0301 \u202e\ufffd\n\t x = 3 "
END = 0
"""Of the bundled tokenizer."""


@cache
def bundled() -> Any:
    """Of bytes, as most are."""
    return AutoTokenizer.from_pretrained(BASE.path)


@cache
def pieced() -> Any:
    """Of words with a mark for the space before them, and bytes for all the rest, as sentencepiece makes them."""
    words = ["▁", "▁the", "▁cat", "s", "a", "t", "e", "h", "c", "x", "=", "3"]
    tokens = ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256)), *words]
    merges = [("t", "h"), ("th", "e"), ("▁", "the"), ("c", "a"), ("ca", "t"), ("▁", "cat")]
    tokens += ["th", "the", "ca", "cat"]
    made = Tokenizer(
        models.BPE(
            vocab={token: number for number, token in enumerate(dict.fromkeys(tokens))},
            merges=merges,
            unk_token="<unk>",
            byte_fallback=True,
        )
    )
    made.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first")
    made.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    return PreTrainedTokenizerFast(tokenizer_object=made, unk_token="<unk>", bos_token="<s>", eos_token="</s>")


def text_of(tokenizer: Any, ids: Sequence[int]) -> str:
    return str(tokenizer.decode(list(ids), skip_special_tokens=False, clean_up_tokenization_spaces=False))


def both(name: str) -> Any:
    return {"bundled": bundled, "pieced": pieced}[name]()


@pytest.mark.parametrize("name", ["bundled", "pieced"])
@given(text=st.text(st.sampled_from(HARD) | st.characters(), max_size=60))
def test_a_text_is_spelt_by_its_own_tokens(name: str, text: str) -> None:
    tokenizer = both(name)
    ids = retokenized(tokenizer, text)
    read = text_of(tokenizer, ids)
    found = spans(tokenizer, ids, read)
    assert found is not None
    assert len(found) == len(ids)
    assert sum(found) == len(read)


@given(ids=st.lists(st.integers(0, 453), max_size=60))
def test_whatever_tokens_a_model_draws_are_spelt_out(ids: list[int]) -> None:
    """Broken UTF-8 and special tokens among them: where the text before a token is whole, it ends where the token's begins."""
    tokenizer = bundled()
    text = text_of(tokenizer, ids)
    found = spans(tokenizer, ids, text)
    assert found is not None
    assert sum(found) == len(text)
    for place, end in enumerate(accumulate(found), 1):
        before = text_of(tokenizer, ids[:place])
        if not before.endswith("\ufffd"):
            assert text[:end] == before


@given(ids=st.lists(st.integers(3, 258) | st.integers(259, 275), max_size=40))
def test_bytes_that_are_no_characters_are_spelt_or_refused_and_never_guessed(ids: list[int]) -> None:
    tokenizer = pieced()
    text = text_of(tokenizer, ids)
    found = spans(tokenizer, ids, text)
    assert found is None or sum(found) == len(text)


@given(text=st.text(st.sampled_from(HARD), max_size=40), cut=st.integers(0, 40))
def test_a_stop_token_brings_nothing_and_a_text_cut_before_a_stop_string_is_a_beginning(text: str, cut: int) -> None:
    tokenizer = bundled()
    ids = retokenized(tokenizer, text)
    whole = spans(tokenizer, ids, text)
    assert whole is not None
    assert spans(tokenizer, (*ids, END), text) == (*whole, 0)
    begun = spans(tokenizer, ids, text[:cut])
    assert begun in (whole, (*whole[:-1], 0))
    if text and not text.startswith("x"):
        assert spans(tokenizer, ids, "x" + text) is None


def test_a_character_belongs_to_the_token_that_completes_it() -> None:
    tokenizer = bundled()
    ids = retokenized(tokenizer, "a漢b")
    assert len(ids) == 5
    assert spans(tokenizer, ids, "a漢b") == (1, 0, 0, 1, 1)
    cut = ids[:2]
    assert spans(tokenizer, cut, "a\ufffd") == (1, 1)
    assert spans(tokenizer, (*cut, END), "a\ufffd") == (1, 1, 0)
    assert spans(tokenizer, (), "") == ()
    assert spans(tokenizer, (END,), "") == (0,)


def test_the_space_that_a_text_begins_with_is_dropped_once() -> None:
    tokenizer = pieced()
    the, cat = tokenizer.convert_tokens_to_ids(["▁the", "▁cat"])
    assert retokenized(tokenizer, "the cat") == (the, cat)
    assert spans(tokenizer, (the, cat, the), "the cat the") == (3, 4, 4)
    assert pieces(tokenizer, [the, cat, 2]) == {the: " the", cat: " cat", 2: "</s>"}


@pytest.mark.parametrize("name", ["bundled", "pieced"])
def test_a_part_of_a_character_reads_as_its_bytes(name: str) -> None:
    tokenizer = both(name)
    ids = retokenized(tokenizer, "漢")
    read = pieces(tokenizer, ids)
    assert [read[one] for one in ids][-3:] == ["<0xE6>", "<0xBC>", "<0xA2>"]


@pytest.mark.parametrize("name", ["bundled", "pieced"])
@given(text=st.text(max_size=8))
def test_no_text_of_a_stranger_becomes_a_token_that_ends_a_response(name: str, text: str) -> None:
    tokenizer = both(name)
    for special in tokenizer.all_special_tokens:
        ids = retokenized(tokenizer, text + special + text)
        if special != tokenizer.unk_token:
            assert tokenizer.convert_tokens_to_ids(special) not in ids


def test_half_a_character_is_no_crash() -> None:
    ids = retokenized(bundled(), "a\ud800b")
    assert spans(bundled(), ids, "a\ud800b") is not None


@pytest.mark.parametrize("text", ["x = 3 漢字 ", "\ufffd"])
def test_time_goes_with_the_number_of_tokens(text: str) -> None:
    """Ten times as many take ten times as long, give or take: for text, and for bytes that never become characters."""
    tokenizer = bundled()
    some = retokenized(tokenizer, text * 400)[:2000]
    broken = [some[0]] * 2000 if text == "\ufffd" else some

    def seconds(ids: Sequence[int]) -> float:
        read = text_of(tokenizer, ids)
        began = time.perf_counter()
        assert spans(tokenizer, ids, read) is not None
        return time.perf_counter() - began

    seconds(broken)
    assert seconds([*broken] * 10) < 40 * min(seconds(broken) for _ in range(3))
