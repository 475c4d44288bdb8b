"""What is marked in a response where it stands: right and wrong equalities, reasons for doubt, and their summary."""

from __future__ import annotations

from engine.luck import suspicion, suspicions
from engine.luck.equalities import stated
from engine.steps import split_steps
from explorer.model.reading import expressions
from explorer.render.annotations import Checked, remarks, summary
from explorer.render.page import Document, page_of
from explorer.render.pieces import Tone
from explorer.render.text import visible

CANCELLING = r"""We count the keys of each kind.

\[ 900 = (195 + 367 + 562 + 900) - 437 - 2 \cdot 234 - 3X \]

\[ 900 = 1924 - 805 - 3X \]

So $3X = 1119 - 900 = 219$ and $X = 73$.

The answer is $\boxed{73}$."""
"""Two slips of 100 that cancel."""


def checked(text: str, answer: str | None = None) -> Checked:
    reasons = tuple(suspicions(text, answer))
    return Checked(tuple(stated(text)), reasons, suspicion(reasons))


def drawn(text: str, width: int = 76, answer: str | None = None) -> list[str]:
    found = remarks(checked(text, answer))
    page = page_of(Document(text, rendered=expressions(text), remarks=found), width)
    return ["".join(part for part, _ in page.pieces(line)).replace("\u00a0", " ") for line in range(len(page.lines))]


def test_slips_that_cancel_are_told_beneath_the_line_they_stand_on() -> None:
    lines = drawn(CANCELLING, answer="73")
    at = next(place for place, line in enumerate(lines) if line.startswith("900 = 1924"))
    assert lines[at].endswith(" ✗")
    assert lines[at + 1].startswith("    ✗ false rewrite: ")
    said = " ".join(" ".join(lines[at + 1 : at + 4]).split())
    assert "2024" in said
    assert "905" in said
    assert any("1119 - 900 = 219 ✓" in line for line in lines)


def test_right_equalities_get_a_sign_and_no_sentence() -> None:
    text = "First 3 + 4 = 7, then $7 \\cdot 2 = 14 = 28 / 2$."
    assert drawn(text) == ["First 3 + 4 = 7 ✓, then 7 · 2 = 14 ✓ = 28 / 2 ✓."]


def test_a_wrong_equality_says_what_is_right() -> None:
    text = "There are 195+367+562+900 = 1924 keys.\n\nSo the answer is \\boxed{1924}."
    lines = drawn(text)
    assert lines[:2] == ["There are 195+367+562+900 = 1924 ✗ keys.", "    ✗ 195+367+562+900 is 2024, not 1924"]


def test_what_is_taken_back_is_dim_and_says_so() -> None:
    text = "5 + 6 = 12. Wait, that's wrong. 5 + 6 = 11.\n\nThe answer is \\boxed{11}."
    found = [remark for remark in remarks(checked(text)) if remark.glyph == "✗"]
    assert [remark.tone for remark in found] == [Tone.DIM]
    assert found[0].sentence.endswith("(taken back)")


def test_every_remark_lies_in_the_text_and_everything_found_is_remarked() -> None:
    for text in (CANCELLING, "I guess it is \\boxed{4}.", "", "2 + 2 = 5 \x1b[31m and 2 + 2 = 5", "\\boxed{4}"):
        what = checked(text)
        found = remarks(what)
        assert all(0 <= remark.start <= remark.end <= len(text) for remark in found)
        assert len([remark for remark in found if remark.glyph != "✓"]) >= len(what.reasons)
        assert [remark.end for remark in found] == sorted(remark.end for remark in found)
        assert all(visible(line) == line for line in drawn(text))


def test_the_summary_names_kinds_and_steps_and_how_much_they_weigh() -> None:
    what = checked(CANCELLING, "73")
    starts = [step.start for step in split_steps(CANCELLING)]
    said = "".join(text for text, _ in summary(what, starts))
    assert said == f"⚠ 1 reason suspicion {what.score:.2f} · false rewrite at step 3"
    assert "suspicion" not in "".join(text for text, _ in summary(what, starts, scored=False))
    assert not summary(Checked(), starts)


def test_many_reasons_of_a_kind_are_named_once() -> None:
    text = "\n\n".join(f"{n} + {n} = {2 * n + 1}" for n in range(1, 9))
    said = "".join(part for part, _ in summary(checked(text), [step.start for step in split_steps(text)]))
    assert "⚠ 8 reasons" in said
    assert "false equality at steps 1, 2, 3, 4 …" in said


def test_marks_of_one_line_are_told_in_order_and_once() -> None:
    text = "2 + 2 = 5. And 2 + 2 = 5. But 3 + 3 = 7.\n\nSo \\boxed{7}."
    lines = drawn(text)
    assert lines[1:3] == ["    ✗ 2 + 2 is 4, not 5", "    ✗ 3 + 3 is 6, not 7"]
