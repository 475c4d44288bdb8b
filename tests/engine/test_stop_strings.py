"""Stop strings: found as soon as they are written, whatever tokens they are spread over, and the text is cut before them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random

import pytest
from tokenizers import Tokenizer, decoders, models, pre_tokenizers

from engine.decoding import Decoding
from engine.prompts import Template
from engine.samplers.base import Drawn, Manner, Opening, Request
from engine.samplers.stopping import StopStrings, cut
from engine.samplers.transformers import TransformersSampler
from sample_data import BASE, PROMPT
from store.types import Finish

TextOf = Callable[[Sequence[int]], str]


def byte_tokens() -> TextOf:
    """Each byte a token: é is two of them, 🙂 is four."""
    letters = {letter: number for number, letter in enumerate(sorted(pre_tokenizers.ByteLevel.alphabet()))}
    tokenizer = Tokenizer(models.BPE(letters, []))
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer.decode


def spaced_tokens() -> TextOf:
    """Words with the space before them, which is dropped where a text begins."""
    pieces = ["▁", "▁a", "▁b", "a", "b", "ab", "ba", "\n", "é"]
    tokenizer = Tokenizer(models.WordLevel({piece: number for number, piece in enumerate(pieces)}, unk_token="a"))
    tokenizer.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.Fuse(), decoders.Strip(" ", 1, 0)])
    return tokenizer.decode


def bytes_of(text: str) -> list[int]:
    """The ids of `byte_tokens`."""
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    ((piece, _),) = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False).pre_tokenize_str(text)
    return [letters.index(letter) for letter in piece]


@pytest.mark.parametrize(
    ("text", "stop", "written", "before"),
    [
        ("one two", ("two",), "one two", "one "),
        ("né, né!", ("é",), "né", "n"),
        ("x 🙂 y", ("🙂",), "x 🙂", "x "),
        ("x 🙂é y", ("🙂é ",), "x 🙂é ", "x "),
        ("stop", ("s",), "s", ""),
        ("a b c", ("c", "b"), "a b", "a "),
        ("abcd", ("bcd", "abc"), "abc", ""),
        ("a\n\nb", ("\n\n",), "a\n\n", "a"),
    ],
)
def test_a_response_ends_with_the_token_that_completes_a_stop_string(
    text: str, stop: tuple[str, ...], written: str, before: str
) -> None:
    text_of = byte_tokens()
    ids = bytes_of(text)
    watch = StopStrings(stop, text_of)
    ends = [(n, found) for n in range(1, len(ids) + 1) if (found := watch.ended(ids[:n]))]
    count, (kept, string) = ends[0]
    assert (text_of(ids[:count]), kept, written) == (written, before, before + string)


@pytest.mark.parametrize(
    ("text_of", "tokens"), [(byte_tokens(), bytes_of("a b\né🙂")), (spaced_tokens(), range(9))], ids=["bytes", "spaced"]
)
def test_watching_token_by_token_finds_what_reading_the_whole_text_finds(text_of: TextOf, tokens: Sequence[int]) -> None:
    rng = Random(5)
    found = 0
    for _ in range(400):
        stop = ["".join(rng.choices("ab \né🙂", k=rng.randint(1, 4))) for _ in range(rng.randint(1, 3))]
        watch = StopStrings(stop, text_of)
        ids: list[int] = []
        for _ in range(40):
            ids.append(rng.choice(tokens))
            ended = watch.ended(ids)
            assert ended == cut(text_of(ids), stop)
            if ended:
                found += 1
                break
    assert 100 < found < 400


def test_without_stop_strings_nothing_is_read() -> None:
    def text_of(ids: Sequence[int]) -> str:
        raise AssertionError(f"asked for the text of {ids}")

    assert StopStrings((), text_of).ended([1, 2, 3]) is None


def test_tokens_that_cannot_end_a_stop_string_are_read_once() -> None:
    asked: list[Sequence[int]] = []
    text_of = byte_tokens()

    def counted(ids: Sequence[int]) -> str:
        asked.append(ids)
        return text_of(ids)

    watch, ids = StopStrings(("END",), counted), bytes_of("abc" * 500)
    assert all(watch.ended(ids[:n]) is None for n in range(1, len(ids) + 1))
    assert len(asked) == 3


def drawn(sampler: TransformersSampler, stop: tuple[str, ...]) -> dict[object, Drawn]:
    prompt = sampler.prompt(Template(PROMPT), "A box holds 3 red and 4 blue pens. How many pens are in it?").ids
    requests = [Request(number, prompt, 7919 * number + 5) for number in range(40)]
    return {one.request.unit: one for one in sampler.sample(requests, Manner(Decoding(0.8, 0.95), 60, stop))}


def test_with_stop_strings_a_draw_is_the_beginning_of_what_it_would_be_without() -> None:
    """Of a real model, whose tokens are several letters long."""
    with TransformersSampler(Opening(BASE.path)) as sampler:
        free = drawn(sampler, ())
        inside = next(text[1] for one in free.values() if len(text := sampler.text((one.ids or ())[:1])) > 2)
        for stop in ((" = ",), ("\n", "boxed"), (inside,)):
            found = drawn(sampler, stop)
            assert {one.stop_reason for one in found.values()} & {*stop}
            for unit, one in free.items():
                assert one.ids is not None
                expect(
                    found[unit], one, next((n for n in range(len(one.ids)) if cut(sampler.text(one.ids[: n + 1]), stop)), None)
                )
                assert found[unit].text == (cut(one.text, stop) or (one.text,))[0]
        assert any(len(one.ids or ()) == 1 for one in found.values())  # the last was inside a first token


def expect(found: Drawn, free: Drawn, last: int | None) -> None:
    """last: place of the token that ends the first stop string."""
    assert found.ids is not None
    assert free.ids is not None
    if last is None:
        assert found == free
        return
    assert found.ids == free.ids[: last + 1]
    assert found.finish is Finish.STOP
    assert found.logp is not None
    assert free.logp is not None
    assert found.logp >= free.logp


def test_a_stop_string_s_name_and_ids_are_kept_in_the_study(tmp_path: Path) -> None:
    from engine.sampling import Plan, sample
    from store.reader import Study
    from store.types import Model, Problem
    from store.writer import Writer

    problems = [Problem("b", "1", "A box holds 3 red and 4 blue pens. How many pens are in it?", "7")]
    manner = Manner(Decoding(0.8, 0.95), 60, ("\n", " = "))
    with Writer(tmp_path / "s.db", "test") as writer:
        sample(writer, Plan(Model("tiny"), Opening(BASE.path), problems, Template(PROMPT), manner, 20))
    with Study(tmp_path / "s.db") as study:
        (run,) = study.runs()
        assert run.settings.stop == '["\\n"," = "]'
        rows = study.query("SELECT DISTINCT stop_reason, finish, logp < 0 FROM sample WHERE stop_reason IN ('\n', ' = ')")
        assert rows
        assert {row[1:] for row in rows} == {("stop", 1)}
