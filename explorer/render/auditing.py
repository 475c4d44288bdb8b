"""What the audit says on the screen: digits with their words, progress, what the labels have changed, why a trace is listed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from explorer.model.queue import NEAR, STRATUM, By
from explorer.render.heading import deciding
from explorer.render.paragraph import first_lines
from explorer.render.pieces import Line, Piece, Tone, dim, flow, joined, plain, strong, width_of
from explorer.render.text import shortened
from explorer.render.words import LABELS, MARKS, NONE, counted, finish

if TYPE_CHECKING:
    from engine.auditing import Comparison, QueueItem
    from explorer.model.labels import Said
    from explorer.model.queue import Carrying, Entry, Listing, Share, Standing
    from explorer.model.session import Pair
    from store.rows import Trace

SHORT: Final = {
    1: "valid",
    2: "cancelling",
    3: "guess",
    4: "answer-aware",
    5: "skipped",
    6: "wrong ref",
    7: "verifier",
    8: "can't tell",
}
"""The digits' words where a line has to hold all of them."""

_SHORTEST: Final = SHORT | {4: "aware", 6: "ref"}

_NOTE_AT_MOST: Final = 60

BLIND: Final = "blind: models, references and others' labels are hidden; all traces listed were judged right · b shows them"
SIGHTED: Final = "models, verdicts, references and what others say are shown; everybody's labels count"
LINK_HIDDEN: Final = "a link names the run, which is hidden: b shows it"
SEE_FIRST: Final = "6 and 7 judge the reference and the verdict, which are hidden: b shows them"


def digits(width: int) -> Line:
    """Every digit with its word, as long as they fit: in 80 columns, too."""
    for words, between in ((LABELS, "   "), (LABELS, "  "), (SHORT, "  "), (_SHORTEST, " ")):
        line = joined([[(str(digit), Tone.ACCENT), plain(f" {word}")] for digit, word in words.items()], plain(between))
        if width_of(line) <= width:
            break
    return line


def progress(judged: int, of: int) -> Line:
    return [strong(f"{judged:,}"), plain(f" of {of:,} judged")]


_SHORT_WAYS: Final = {
    By.INFLUENCE: "consequential",
    By.UNDECIDED: "undecided",
    By.RANDOM: "random",
    By.PROTOCOL: "protocol",
    By.PROBLEM: "one problem",
    By.FLAGGED: "flagged",
}


def ways(offered: Sequence[By], now: By, key: str | None, width: int) -> Line:
    """The ways to choose, the one in force in brackets, in words as long as there is room for. key: of the one problem."""
    named = [f"problem {key}" if by is By.PROBLEM and key else str(by) for by in offered]
    short = [f"problem {key}" if by is By.PROBLEM and key else _SHORT_WAYS[by] for by in offered]
    for words in (named, short, [_SHORT_WAYS[by] for by in offered]):
        line = _bracketed(words, offered.index(now))
        if width_of(line) <= width:
            break
    return line


def _bracketed(words: Sequence[str], chosen: int) -> Line:
    pieces: list[Piece] = []
    for place, word in enumerate(words):
        here = place == chosen
        pieces += [("[", Tone.ACCENT), (word, Tone.STRONG), ("]", Tone.ACCENT)] if here else [dim(f" {word} ")]
        pieces.append(plain(" "))
    return pieces[:-1]


def standing(now: Standing, listing: Listing, pair: Pair, width: int) -> list[Line]:
    """What the labels have changed so far, and what they could still change."""
    drawn = _drawn(now, pair) if listing.by is By.RANDOM else []
    more = widened(listing, now.drawn, width)
    if now.before is None or now.now is None:
        return more + flow([[plain(_whose(now))], [dim(now.why)], *drawn], width)
    about = [*_could(now, listing), *_connected(now.carrying, listing, pair), *_far(listing)]
    return more + flow([*_sets(now.before, now.now, pair.words), *drawn, *about], width)


def of_problem(key: str, width: int, *, came: bool) -> list[Line]:
    """Which problem "one problem" is. came: the person came from it; else it was the one under the cursor."""
    how = "which you came from" if came else "which the cursor was at; a on a problem or trace lists that one"
    return list(first_lines(f"problem {key}, {how}: its right answers, and wrong ones in doubt", width, 2))


def widened(listing: Listing, drawn: Share | None, width: int) -> list[Line]:
    """That the draw is read, and how narrow the interval is that it gives. Of both runs together, so that it tells no run."""
    if not listing.is_widened:
        return []
    found = ""
    if drawn is not None:
        limits = f"{100 * drawn.low:.0f} to {100 * drawn.high:.0f} %"
        found = f", {drawn.sound:,} of {drawn.decided:,} decided are sound (95 % interval {limits})"
    told = (
        f"{listing.judged:,} drawn and judged{found}. What follows widens the draw, {STRATUM} at a time:"
        " stop when the interval is narrow enough"
    )
    return _loud(told, width, 3)


def _connected(carrying: Carrying | None, listing: Listing, pair: Pair) -> list[Line]:
    """What the listed traces are among those that the study's first screen counts."""
    if listing.by is not By.INFLUENCE or not listing.entries:
        return []
    parts: list[Line] = [[plain(f"{len(listing.entries):,} listed can move a set")]]
    if carrying is None:
        return parts
    items = [entry.item for entry in listing.entries if entry.item.right and entry.item.run.run_id == carrying.run_id]
    among = sum(item.problem.problem_id in carrying.problem_ids for item in items)
    word = pair.words[0 if carrying.of_base else 1]
    are = "is" if among == 1 else "are"
    return [*parts, [plain(f"{among:,} {are} of the {counted(carrying.right, 'right trace')} of the {word}-only set")]]


def _far(listing: Listing) -> list[Line]:
    return [[dim(f"{listing.far:,} traces need over {NEAR} labels to move anything: not listed")]] if listing.far else []


def _whose(now: Standing) -> str:
    return now.labels.told if now.labels.auditors else "no labels yet"


def _drawn(now: Standing, pair: Pair) -> list[Line]:
    """Of each run's answers drawn at random and decided, how many are sound: what CoT-pass@k is estimated from."""
    parts: list[Line] = []
    for run, word, (mark, tone) in zip(pair.runs, pair.words, MARKS, strict=False):
        cells = [cell for (run_id, _), cell in now.labels.cells.items() if run_id == run.run_id]
        sound, decided = sum(cell.random_sound for cell in cells), sum(cell.random for cell in cells)
        parts.append([(f"{mark}{word} ", tone), plain(f"{sound} of {decided} drawn and decided are sound")])
    return parts


def blind_standing(listing: Listing, drawn: Share | None, width: int) -> list[Line]:
    """Figures move with each label, and would tell which run it was given to."""
    told = "model, reference, others' labels and the figures are hidden, traces are mixed; all were judged right · b shows them"
    return widened(listing, drawn, width) + list(first_lines(told + left_out(listing), width, 3))


def left_out(listing: Listing) -> str:
    """Why a blind queue is smaller, where it is."""
    number = listing.left_out
    if not number:
        return ""
    are, their = ("is", "its") if number == 1 else ("are", "their")
    return f" · {counted(number, 'wrong answer')} {are} left out while blind: only {their} verdict is in question"


def done(listing: Listing, undecided: int, study: str, width: int) -> list[Line]:
    """Everything listed is judged: that, and what is next, with commands that can be pasted, each on lines of its own.

    undecided: traces that were read, and still decide a set. study: its path, quoted for a shell.
    """
    if undecided and listing.by is By.INFLUENCE:
        return _loud(f"{_hang(undecided)} · Enter lists them", width, 2)
    what = {
        By.INFLUENCE: f"no trace that is left could move a problem in up to {NEAR} labels",
        By.RANDOM: "all right answers that are stored were drawn and judged",
    }.get(listing.by, "every trace listed here is judged")
    told = f"Done: {what}. Tab chooses other traces; in a shell, how far auditors agree, and the labels as a file:"
    lines = _loud(told, width, 3)
    for command in (f"basebound audit agreement {study}", f"basebound audit export {study} --out labels.csv"):
        lines += [[plain(command[at : at + width])] for at in range(0, len(command), width)]
    return lines


def _loud(text: str, width: int, most: int) -> list[Line]:
    return [[(piece, Tone.STRONG) for piece, _ in line] for line in first_lines(text, width, most)]


def _hang(number: int) -> str:
    decide, them = ("decides", "it") if number == 1 else ("decide", "them")
    return f"{counted(number, 'trace')} labelled undecided still {decide} a set: read {them} again"


def _sets(before: Comparison, now: Comparison, words: tuple[str, str]) -> list[Line]:
    base, other = words
    told: list[tuple[str, Tone, str]] = [
        ("both", Tone.PLAIN, "both"),
        (f"{MARKS[0][0]}{base} only", Tone.BASE, "base only"),
        (f"{MARKS[1][0]}{other} only", Tone.OTHER, "other only"),
        ("neither", Tone.PLAIN, "neither"),
    ]
    parts: list[Line] = [
        [(f"{word} ", tone), *_change(*(one.kept.regions.count(region) for one in (before, now)))]
        for word, tone, region in told
    ]
    parts[0] = [dim(f"sets at k {now.kept.k:,}: "), *parts[0]]
    values = [one.kept.conclusion.p_value for one in (before, now)]
    if None in values:
        return [*parts, [dim("n differ: no exact test")]]
    return [*parts, [dim("McNemar p "), *_change(*(f"{value:.3g}" for value in values))]]


def _change(before: object, now: object) -> list[Piece]:
    return [plain(f"{now}")] if before == now else [dim(f"{before} → "), strong(f"{now}")]


def _could(now: Standing, listing: Listing) -> list[Line]:
    comparison = now.now
    if comparison is None:
        return []
    parts: list[Line] = [[plain(_whose(now))]]
    finding, fewest = comparison.kept.conclusion.finding, comparison.labels_to_change
    if fewest is None:
        parts.append([dim("no further label changes "), strong(f"“{finding}”")])
    else:
        parts.append([plain(f"{counted(fewest, 'more label')} could still change "), strong(f"“{finding}”")])
    if now.contested and not (listing.is_done and listing.by is By.INFLUENCE):  # there it is said instead of "Done"
        parts.append([(_hang(now.contested), Tone.WARN)])
    return parts


def short_why(item: QueueItem, words: tuple[str, str]) -> str:
    """Why the trace is in the queue, for a column."""
    one = item.influence
    if one is None:
        return item.why
    return f"{one.labels} of {one.traces}: {_region(one.before, words)} → {_region(one.after, words)}"


def long_why(item: QueueItem, words: tuple[str, str]) -> str:
    """The same in a sentence, for whoever meets it for the first time."""
    one = item.influence
    if one is None:
        return item.why
    run = words[0] if one.of_base else words[1]
    kind = counted(one.traces, "unread right answer")
    if not one.right:
        kind = counted(one.traces, "unread wrong answer that may be right", "unread wrong answers that may be right")
    turned = "labelled 2, 3 or 4" if one.right else "labelled 7"
    p_value = "" if one.conclusion.p_value is None else f", McNemar p {one.conclusion.p_value:.3g}"
    doubt = item.why[item.why.rindex(" (") :] if item.why.endswith(")") else ""
    return (
        f"{run} has {kind} here{doubt}: {one.labels} of them {turned} would turn the problem from"
        f" {_region(one.before, words)} to {_region(one.after, words)}{p_value}"
    )


def _region(region: str, words: tuple[str, str]) -> str:
    return {"base only": f"{words[0]} only", "other only": f"{words[1]} only"}.get(region, region)


def label_cell(entry: Entry, *, blind: bool) -> Line:
    """One's own label, then what others say."""
    parts: list[Line] = []
    if entry.own is not None:
        parts.append([(f"{entry.own} {SHORT[entry.own]}", Tone.ACCENT)])
    if not blind:
        parts += [[dim(f"{name}: "), plain(f"{digit} {SHORT[digit]}")] for name, digit in entry.others]
    if entry.flagged:
        parts.append([("⚑", Tone.WARN)])
    return joined(parts) or [dim(NONE)]


def blind_heading(trace: Trace, of: Said | None, width: int) -> list[Line]:
    """What may stand over a trace in blind mode: its answer, its size, and what this auditor says of it."""
    verdict = deciding(trace)
    answer = NONE if verdict is None or verdict.answer is None else shortened(verdict.answer, _NOTE_AT_MOST)
    parts: list[Line] = [
        [dim("answer "), strong(answer)],
        [plain(f"{trace.row.chars:,} chars")],
        [dim("finish "), finish(trace.row.finish)],
    ]
    return flow([*parts, *(_own(of) if of else [])], width)


def in_doubt(item: QueueItem) -> Line:
    """What is asked of an answer that was judged wrong: the labels are words for right ones."""
    doubt = f" {item.why[item.why.rindex(' (') + 1 :]}" if item.why.endswith(")") else ""
    return [("judged wrong: ", Tone.WARN), plain("7 if it is right after all, any other digit leaves it wrong"), dim(doubt)]


def _own(of: Said) -> list[Line]:
    parts: list[Line] = []
    if of.own is not None and of.own.label is not None:
        at = "" if of.own.step is None else f" at step {of.own.step}"
        parts.append([dim("you: "), (f"{of.own.label} {LABELS[of.own.label]}{at}", Tone.ACCENT)])
    if of.flagged:
        parts.append([("⚑ flagged", Tone.ACCENT)])
    if of.note:
        parts.append([dim("note "), plain(f"“{shortened(of.note, _NOTE_AT_MOST)}”")])
    return parts
