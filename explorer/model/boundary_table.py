"""The boundary table's columns, each with what stands in it: a row is made of them cell by cell. No Textual here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from explorer.model.boundary import BoundaryRow, counts_differ
from explorer.model.numbers import Membership
from explorer.model.session import Pair
from explorer.render.columns import UNLIMITED, Column
from explorer.render.pieces import Line, Piece, Tone, dim, plain
from explorer.render.text import one_line
from explorer.render.words import MARKS, NONE, correct_of, counted, small_share
from store.audits import Meaning
from store.rows import Count

_TONES: Final = {Membership.BASE_ONLY: Tone.BASE, Membership.OTHER_ONLY: Tone.OTHER}
_LONGEST_KEY: Final = 24


@dataclass(frozen=True, slots=True)
class Field:
    """One column and its cell of each row."""

    column: Column
    cell: Callable[[BoundaryRow], Line]


def boundary_fields(pair: Pair, rows: Sequence[BoundaryRow], *, sets_known: bool) -> list[Field]:
    """The columns that these rows, filtered or not, need. sets_known: whether the pair's sets have been computed.

    Where there is no room, columns go: what 80 cells keep are the counts, the set, its evidence and what was audited.
    """
    key = min(max((len(row.problem.key) for row in rows), default=3), _LONGEST_KEY)
    fields = [Field(Column("problem", max(key, 7)), lambda row: [plain(row.problem.key)])]
    fields += [_count_field(pair, rows, place) for place in range(len(pair.runs))]
    if pair.other is not None:
        fields.append(Field(Column("set", _set_width(pair, rows)), lambda row: [_set_piece(pair, row, sets_known)]))
        fields.append(Field(Column("evidence", 12, drop=2), lambda row: [_evidence_piece(row, sets_known)]))
    fields += _known_fields(pair, rows)
    fields.append(Field(Column("reference", 9, most=14, drop=6), _reference))
    if any(row.differs for row in rows):
        fields += [_file_field(pair, place) for place in range(len(pair.runs))]
    return [*fields, Field(Column("statement", 24, most=UNLIMITED, drop=5), _statement)]


def _known_fields(pair: Pair, rows: Sequence[BoundaryRow]) -> list[Field]:
    """Guess chances, paths, labels and tags, each where anything is known of it; labels always."""
    fields = []
    signs = "/".join(mark.strip() for mark, _ in MARKS[: len(pair.runs)])
    if any(value is not None for row in rows for value in row.guesses):
        fields.append(Field(Column(f"guess {signs} %", 11, right=True, drop=4), lambda row: [plain(_guesses(pair, row))]))
    if any(value is not None for row in rows for value in row.paths):
        fields.append(Field(Column(f"paths {signs}", 9, right=True, drop=3), lambda row: [plain(_paths(pair, row))]))
    fields.append(Field(Column("audit", 8, most=14, drop=1), audit_line))
    if any(row.tags for row in rows):
        longest = max(len(_tags(row)) for row in rows)
        fields.append(Field(Column("tags", 8, most=max(8, min(longest, 24)), drop=3), lambda row: [(_tags(row), Tone.ACCENT)]))
    return fields


def audit_line(row: BoundaryRow) -> Line:
    """What people found in right answers, by sign and number, and in wrong ones: ✓ sound, ? undecided, ✗ unsound, ≠ the verdict
    is wrong."""
    found = row.audited
    pieces: list[Piece] = []
    corrected = found.of_right.get(Meaning.CORRECTED, 0) + found.raised
    for sign, number, tone in (
        ("✓", found.of_right.get(Meaning.SOUND, 0), Tone.GOOD),
        ("?", found.of_right.get(Meaning.UNDECIDED, 0), Tone.PLAIN),
        ("✗", found.of_right.get(Meaning.UNSOUND, 0), Tone.BAD),
        ("≠", corrected, Tone.WARN),
    ):
        if number:
            pieces += [plain(" " if pieces else ""), (f"{sign}{number}", tone)]
    return pieces or [dim(NONE)]


def audit_words(row: BoundaryRow) -> Line:
    """The same in words, with what it is of."""
    found = row.audited
    right = sum(count.all_correct for count in (row.base, row.other) if count is not None)
    if not found.read:
        return [dim(f"none of {counted(right, 'right answer')} read")]
    said = [f"{number} {meaning}" for meaning in Meaning if (number := found.of_right.get(meaning, 0))]
    line = [plain(", ".join(said) or "none"), dim(f" of {counted(right, 'right answer')}")]
    return [*line, (f", {found.raised} judged wrong found right", Tone.WARN)] if found.raised else line


def _count_field(pair: Pair, rows: Sequence[BoundaryRow], place: int) -> Field:
    mark, tone = MARKS[place]
    title = mark + pair.words[place]

    def text(row: BoundaryRow) -> str:
        return correct_of((row.base, row.other)[place])

    width = max(7, len(title), *(len(text(row)) for row in rows))
    return Field(Column(title, width, right=True, tone=tone), lambda row: [plain(text(row))])


def _file_field(pair: Pair, place: int) -> Field:
    def cell(row: BoundaryRow) -> Line:
        ours, file = ((row.base, row.file_base), (row.other, row.file_other))[place]
        return [_file_piece(ours, file)]

    title = f"file {pair.words[place]}"
    return Field(Column(title, max(8, len(title)), right=True, drop=7), cell)


def _file_piece(ours: Count | None, file: Count | None) -> tuple[str, Tone]:
    return (f"≠ {correct_of(file)}", Tone.WARN) if counts_differ(ours, file) else dim(correct_of(file))


def _set_width(pair: Pair, rows: Sequence[BoundaryRow]) -> int:
    return max(len("not judged"), *(len(f"{word} only") for word in pair.words)) + 2 * any(row.differs for row in rows)


def _evidence_piece(row: BoundaryRow, sets_known: bool) -> tuple[str, Tone]:
    """Of a problem that one run alone solves: do the counts say that the runs differ there?"""
    if row.proof is None:
        return dim("…" if row.is_judged and not sets_known else "")
    if not row.solves_alone:
        return dim("")
    return ("clear", Tone.STRONG) if row.proof.evidence.clear else plain("undetermined")


def _guesses(pair: Pair, row: BoundaryRow) -> str:
    return "/".join(small_share(value) for value in row.guesses[: len(pair.runs)])


def _paths(pair: Pair, row: BoundaryRow) -> str:
    return " / ".join(NONE if value is None else str(value) for value in row.paths[: len(pair.runs)])


def _tags(row: BoundaryRow) -> str:
    return " ".join(row.tags)


def _set_piece(pair: Pair, row: BoundaryRow, sets_known: bool) -> tuple[str, Tone]:
    if row.member is None:
        return dim("…" if row.is_judged and not sets_known else "not judged")
    words = dict(zip((Membership.BASE_ONLY, Membership.OTHER_ONLY), pair.words, strict=True))
    word = f"{words[row.member]} only" if row.member in words else str(row.member)
    return word + (" ≠" if row.differs else ""), _TONES.get(row.member, Tone.PLAIN)


def _reference(row: BoundaryRow) -> Line:
    return [plain(NONE if row.problem.reference is None else one_line(row.problem.reference))]


def _statement(row: BoundaryRow) -> Line:
    return [dim("no statement" if row.problem.statement is None else one_line(row.problem.statement))]
