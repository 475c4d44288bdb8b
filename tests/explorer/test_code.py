"""Code is coloured inside of its fences alone, at the right places, and never fails."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.render.code import fences, highlighted, quoted
from explorer.render.pieces import Tone

SAMPLE = """First this:
```python
def half(n):  # a note
    return "half of", n / 2.5
```
and no def here.
"""


def marked(text: str) -> list[tuple[str, Tone]]:
    return [(text[start:end], tone) for start, end, tone in highlighted(text)]


def test_words_of_code_get_their_tones_where_they_stand() -> None:
    found = marked(SAMPLE)
    assert ("def", Tone.KEYWORD) in found
    assert ("# a note", Tone.COMMENT) in found
    assert ('"half of"', Tone.STRING) in found
    assert ("2.5", Tone.NUMBER) in found
    assert sum(text == "def" for text, _ in found) == 1


@pytest.mark.parametrize("text", ["no fence: def x = 1", "`def` in a line", "```klingon\ndef x\n```", "```\n\n```", "~~~", ""])
def test_nothing_is_coloured_outside_of_fences_or_in_an_unknown_language(text: str) -> None:
    assert highlighted(text) == []


def test_an_unnamed_fence_is_python_and_an_unclosed_one_goes_to_the_end() -> None:
    assert ("return", Tone.KEYWORD) in marked("~~~\nreturn 1")
    assert ("SELECT", Tone.KEYWORD) in marked("  ```sql\n  SELECT 1;\n  ```\nSELECT no")
    assert marked("```js\nlet a = 'b'\n```")[0] == ("let", Tone.KEYWORD)


def test_a_fence_is_closed_by_one_at_least_as_long_without_a_word() -> None:
    text = "````\n```python\nreturn\n````\nafter"
    (fence,) = fences(text)
    assert text[fence.inner : fence.inner_end] == "```python\nreturn\n"
    assert fence.closed
    assert [text[start:end] for start, end in quoted(text)] == [text[: text.index("\nafter")]]


def test_quotes_on_one_line_are_code_and_a_stray_open_fence_without_a_word_is_not() -> None:
    text = "use `x` and ``y`z``\n```\nso it goes on"
    assert [text[start:end] for start, end in quoted(text)] == ["`x`", "``y`z``"]


def test_huge_code_stays_plain_and_is_quick() -> None:
    begin = time.perf_counter()
    assert highlighted("```python\n" + "x = 1\n" * 60_000 + "```") == []
    assert highlighted("```\n" * 100_000) == []
    assert time.perf_counter() - begin < 5


_CODE = st.lists(
    st.sampled_from(
        [*"'#\n\r\x00\ud800é{` ", "```", "~~~", "````", "python", "json", "c++", "html", "def f(", '"""', "1.5", "<a>"]
    ),
    max_size=30,
).map("".join)


@settings(max_examples=300, deadline=None)
@given(st.one_of(_CODE, st.text(), _CODE.map(lambda text: f"```python\n{text}\n```")))
def test_any_text_gives_marks_in_order_inside_of_fences(text: str) -> None:
    blocks = fences(text)
    at = 0
    for start, end, tone in highlighted(text):
        assert at <= start < end <= len(text)
        assert tone in (Tone.KEYWORD, Tone.STRING, Tone.NUMBER, Tone.COMMENT)
        assert any(block.inner <= start and end <= block.inner_end for block in blocks)
        at = end
