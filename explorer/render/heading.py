"""What stands over a trace, always in sight: whose it is, the verdict and how it was reached, the file's own score, its size.

Laid out in as few lines as the width allows, what decides first: each part can overturn what the text suggests. Where the
terminal has no room for all of it, how the trace was drawn goes first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from engine.analyses.support import margin_of
from explorer.render.annotations import FAILS, HOLDS, Checked, as_it_reads, summary
from explorer.render.pieces import Line, Piece, Tone, dim, fitted, flow, joined, plain, strong
from explorer.render.text import shortened
from explorer.render.words import LABELS, NONE, counted, differs, finish, glyph, is_doubt, outcome, role, scorer, settings
from store.marks import Kind
from store.rows import ScoreRow, Trace, VerdictRow
from store.types import IMPORTED, UNKNOWN, Finish, Model, Outcome

if TYPE_CHECKING:
    from explorer.model.labels import Said

_ANSWER_AT_MOST = 60
CHECKED_CHARS: Final = 200_000
"""A longer response is checked when somebody asks: a hostile one of a megabyte takes half a minute."""
_MORE = " …"
_MODELS: Final = 3
"""Whose perplexity is told; of the rest how many they are."""
_MARKED: Final = {Kind.FLAG: "⚑ flagged", Kind.NOTE: "has a note", Kind.STEP: "marks step"}


@dataclass(frozen=True, slots=True)
class Beside:
    """What is known of a trace beside its row in the study. Nothing of it: what the row says has to do."""

    said: Said | None = None
    checked: Checked | None = None
    """None while nobody has looked yet."""
    step_starts: Sequence[int] = ()
    images: int = 0
    detailed: bool = False
    """What models think of it is known token by token."""
    compared: Sequence[Model] = ()
    """The models that the screen compares."""


def heading(trace: Trace, width: int, beside: Beside | None = None, most: int = 1 << 10) -> Sequence[Line]:
    """At most `most` lines, what decides first; where something had to go, the last one ends with a word that it did."""
    said = [[*_verdict(trace)], _reference(trace), *_readings(trace), *_file_score(trace), *_other_verdicts(trace)]
    beside = beside or Beside()
    labels = _labels(trace, beside.said)
    about = [*labels, _who(trace), *_size(trace), *_images(beside), *_measured(trace, beside), _drawn(trace)]
    lines = [*flow(said, width), *check_lines(trace, beside), *flow(about, width)]
    if len(lines) <= most:
        return lines
    return [*lines[: most - 1], [*fitted(lines[most - 1], max(1, width - len(_MORE))), dim(_MORE)]]


def check_lines(trace: Trace, beside: Beside) -> list[Line]:
    """One line of what was found in the response; it is there before anything was, so that nothing moves when it comes."""
    checked = beside.checked
    if checked is None:
        return (
            [[dim("· not checked yet: . checks a long trace")]] if trace.row.chars > CHECKED_CHARS else [[dim("· checking …")]]
        )
    right, wrong = checked.right, len(checked.stated) - checked.right
    counts = [dim(f"{HOLDS} {right:,} {FAILS} {wrong:,}" if checked.stated else "no equality that could be checked")]
    if not checked.reasons:
        return [joined([[dim("no reason for doubt found")], counts])]
    scored = trace.row.outcome is not Outcome.INCORRECT
    return [joined([summary(checked, beside.step_starts, scored=scored), counts])]


def deciding(trace: Trace) -> VerdictRow | None:
    """The verdict that decides about the trace; None where the deciding verifier has not judged it, whoever else has."""
    return next((verdict for verdict in trace.verdicts if verdict.verifier == trace.row.verifier), None)


def _who(trace: Trace) -> Line:
    extra: Line = [(" extra", Tone.ACCENT), dim(": no part of the run's n")] if trace.row.extra else []
    return [plain(trace.run.name), dim(f" ({role(trace.run)})"), dim(" sample "), plain(f"#{trace.row.idx}"), *extra]


def _verdict(trace: Trace) -> Line:
    verdict = deciding(trace)
    pieces: list[Piece] = [outcome(trace.row.outcome)]
    if verdict is None:
        return pieces
    if verdict.answer is not None:
        pieces += [dim("  answer "), strong(_maths(verdict.answer))]
    said = f"{verdict.verifier}: {verdict.route}"
    pieces.append(dim(f"  ({said}{': ' + shortened(verdict.detail, _ANSWER_AT_MOST) if verdict.detail else ''})"))
    return pieces


def _reference(trace: Trace) -> Line:
    reference = trace.problem.reference
    return [dim("reference "), strong(_maths(reference) if reference is not None else NONE)]


def _file_score(trace: Trace) -> list[Line]:
    """The file's own score, where another verdict decides."""
    file = next((verdict for verdict in trace.verdicts if verdict.verifier == IMPORTED), None)
    if file is None or trace.row.verifier == IMPORTED:
        return []
    said = outcome(file.outcome)[0]
    pieces: list[Piece] = [(f"file {said} ≠", Tone.WARN) if differs(trace.row) else dim(f"file {said}")]
    if file.answer is not None and differs(trace.row):
        pieces.append(dim(f" (answer {_maths(file.answer)})"))
    return [pieces]


def _measured(trace: Trace, beside: Beside) -> list[Line]:
    """Its path, and what models think of it: perplexity, the whole trace's probability, the tokens they could never draw."""
    lines: list[Line] = [] if trace.path is None else [[dim("path "), plain(str(trace.path))]]
    hints: Line = [dim(" (l)")] if beside.detailed else []
    told = _told(trace, beside)
    lines += [[*_score(trace, score), *([] if place else hints)] for place, score in enumerate(told)]
    rest = len(trace.scores) - len(told)
    return [*lines, [dim(f"+{counted(rest, 'more model')}")]] if rest else lines


def _told(trace: Trace, beside: Beside) -> Sequence[ScoreRow]:
    """All, where there are few; of many scorers the base model's (they begin with it), the trace's own, those compared."""
    if len(trace.scores) <= _MODELS:
        return trace.scores
    wanted = [(model.name, model.step) for model in (trace.run.model, *reversed(beside.compared))]
    by_model = {(score.scorer, score.step): score for score in reversed(trace.scores)}
    first = [trace.scores[0], *(by_model[one] for one in wanted if one in by_model)]
    chosen = list({id(score): score for score in (*first, *trace.scores)}.values())[:_MODELS]
    return [score for score in trace.scores if any(score is one for one in chosen)]


def _score(trace: Trace, score: ScoreRow) -> Line:
    """PPL 1.092 base, 1 in 10^25.2 (1 token outside by 0.03)"""
    value = NONE if score.perplexity is None else f"{score.perplexity:.3f}"
    pieces: list[Piece] = [dim("PPL "), plain(value), dim(f" {scorer(score)}")]
    if score.nats is not None:
        from engine.analyses.perplexity import odds

        pieces.append(dim(f", {odds(score.nats)}"))
    pieces += _outside(trace, score)
    notes = [*(["cut off"] if trace.row.finish is Finish.LENGTH else []), *(["retokenized"] if score.retokenized else [])]
    return [*pieces, (f" ({', '.join(notes)})", Tone.WARN)] if notes else pieces


def _outside(trace: Trace, score: ScoreRow) -> Line:
    """What forbids the trace to the scorer, and whether rounding may have put it there."""
    if score.outside is None:
        return []
    top_p = trace.run.settings.top_p
    near = score.edge is not None and abs(score.edge) < margin_of(score.dtype, top_p if isinstance(top_p, int | float) else 0.0)
    rounding = ", within rounding" if near else ""
    if score.outside:
        by = "" if score.edge is None else f" by {abs(score.edge):.2g}"
        return [(f" ({counted(score.outside, 'token')} outside{by}{rounding})", Tone.WARN)]
    return [(" (at the edge of its nucleus, within rounding)", Tone.WARN)] if near else []


def _readings(trace: Trace) -> list[Line]:
    """What other rules would have read, where that is another answer: "last box 6 ✗"."""
    verdict = deciding(trace)
    lines: list[Line] = []
    for reading in verdict.readings if verdict else ():
        doubt = Tone.WARN if is_doubt(reading, trace.row.outcome) else Tone.DIM
        said = NONE if reading.answer is None else _maths(reading.answer)
        lines.append([(f"{reading.rule} box {said} {glyph(reading.outcome)}", doubt)])
    return lines


def _other_verdicts(trace: Trace) -> list[Line]:
    """Verdicts that neither decide nor come from the file."""
    others = [verdict for verdict in trace.verdicts if verdict.verifier not in (IMPORTED, trace.row.verifier)]
    return [_other(verdict) for verdict in others]


def _other(verdict: VerdictRow) -> Line:
    tone = Tone.WARN if verdict.outcome is Outcome.ERROR else Tone.DIM
    return [(f"{verdict.verifier} {outcome(verdict.outcome)[0]}", tone)]


def _size(trace: Trace) -> list[Line]:
    row = trace.row
    parts: list[Line] = [[plain(f"{row.tokens:,} tokens")]] if row.tokens is not None else []
    parts += [[plain(f"{row.chars:,} chars")], [dim("finish "), finish(row.finish)]]
    return parts


def _labels(trace: Trace, said: Said | None) -> list[Line]:
    """What every auditor says of it; the flag, the note and the marked steps."""
    if said is None:
        return [] if trace.row.label is None else [[_label(trace.row.label)]]
    own = [] if said.own is None else [said.own]
    lines: list[Line] = [[dim(f"{row.auditor}: "), _label(row.label, row.step)] for row in (*own, *said.others) if row.label]
    if said.flagged:
        lines.append([("⚑ flagged", Tone.ACCENT)])
    if said.note:
        lines.append([dim("note "), plain(f"“{shortened(said.note, _ANSWER_AT_MOST)}”")])
    by_others = dict.fromkeys(
        f"{mark.auditor}: {_MARKED[mark.kind]}" + (f" {mark.step}" if mark.step else "") for mark in said.other_marks
    )
    return lines + [[dim(one)] for one in by_others]


def _label(label: int, step: int | None = None) -> Piece:
    return (f"{label} {LABELS.get(label, '')}" + (f" at step {step}" if step else ""), Tone.ACCENT)


def _images(beside: Beside) -> list[Line]:
    return [[(counted(beside.images, "image"), Tone.WARN), dim(" (t)")]] if beside.images else []


def _drawn(trace: Trace) -> Line:
    values = trace.run.settings
    known = (values.temperature, values.top_p, values.max_tokens, values.context_cap, values.prompt_template)
    return settings(values) if any(value != UNKNOWN for value in known) else [dim("sampling settings unknown")]


def _maths(text: str) -> str:
    """An answer as it reads, where it is maths that can be shown so, else as it came."""
    return shortened(as_it_reads(text), _ANSWER_AT_MOST)
