"""Rows of maths: matrices, cases, aligned equations. Each has a form on one line, (1 2; 3 4), and one on several lines."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from rich.cells import cell_len

from explorer.render.maths.items import THINGS, Item, Kind, Line, Part, Raw, join, shifted

_FENCES: Final = {
    "pmatrix": "()",
    "bmatrix": "[]",
    "vmatrix": "||",
    "Vmatrix": "‖‖",
    "Bmatrix": "{}",
    "matrix": "",
    "smallmatrix": "",
    "array": "",
    "cases": "{",
    "dcases": "{",
}
_LINES: Final = frozenset(["align", "aligned", "equation", "gather", "gathered", "split", "eqnarray", "multline", "flalign"])
ENVIRONMENTS: Final = frozenset(
    [*_FENCES, *_LINES, *(name + "*" for name in ("align", "equation", "gather", "eqnarray", "multline", "flalign"))]
)

_TALL: Final = {
    "(": "⎛⎜⎜⎝",
    ")": "⎞⎟⎟⎠",
    "[": "⎡⎢⎢⎣",
    "]": "⎤⎥⎥⎦",
    "|": "││││",
    "‖": "‖‖‖‖",
    "{": "⎧⎪⎨⎩",
    "}": "⎫⎪⎬⎭",
    "": ("", "", "", ""),
}
"""Top, between, middle, bottom."""
_WIDEST = 66
_WIDEST_TO_ALIGN = 40
_CLINGS = frozenset({Kind.COMMA, Kind.CLOSE, Kind.AFTER})

Cells = Sequence[Sequence[Sequence[Item]]]


def block_of(environment: str, columns: str, rows: Cells, start: int, end: int) -> Item:
    """The item of an environment. columns: of an array, as it says them ("cc|c")."""
    name = environment.rstrip("*")
    if name in _LINES:
        lines = _aligned(rows)
        return Item(Kind.BLOCK, _on_one_line(line.text for line in lines), start, end, lines=lines, bare=True)
    if name.endswith("cases"):
        lines = _grid(rows, "l" * 9, "  ")
        text = _on_one_line(map(_case, rows))
    else:
        lines = _grid(rows, columns or "r" * 99, "  ")
        text = _on_one_line(_entries(rows, columns))
    bare = Item(Kind.BLOCK, text, start, end, lines=lines, bare=True)
    fences = _FENCES[name]
    return block(bare, fences[:1], fences[1:], start, end) if fences else bare


def block(bare: Item, opened: str, closed: str, start: int, end: int) -> Item:
    """The block between delimiters. One brace alone, as of cases, gets its other one where all stands on one line."""
    tall = bare.lines
    if opened not in _TALL or closed not in _TALL:
        tall = ()
    lines = _fenced(tall, opened, closed)
    if {opened, closed} in ({"{", ""}, {"", "}"}):
        opened, closed = "{", "}"
    text = f"{opened}{bare.text}{closed}" if bare.text else ""
    return Item(Kind.BLOCK, text, start, end, lines=lines)


def lines_of(row: Sequence[Item]) -> tuple[Line, ...] | None:
    """A row with blocks in display, on several lines; None where it reads better, or only fits, on one."""
    alone = [item for item in row if item.kind is not Kind.BLANK]
    if len(alone) == 1:
        return alone[0].lines
    if any(item.bare for item in row):
        raise Raw("rows beside something")
    columns = list(_columns(row))
    if not columns or sum(max(cell_len(line) for line in column) for column in columns) > _WIDEST:
        return None
    height = max(map(len, columns))
    lines = [""] * height
    for column in columns:
        width = max(cell_len(line) for line in column)
        above = (height - len(column)) // 2 if len(column) > 1 else (height - 1) // 2
        for place in range(height):
            text = column[place - above] if 0 <= place - above < len(column) else ""
            lines[place] += text + " " * (width - cell_len(text))
    return tuple(Line(line.rstrip()) for line in lines)


def _columns(row: Sequence[Item]) -> list[list[str]]:
    """What stands between the blocks, and the blocks; nothing where a piece must know what is beside it."""
    columns: list[list[str]] = []
    run: list[Item] = []
    for item in (*row, None):
        if item is not None and not (item.kind is Kind.BLOCK and len(item.lines) > 1):
            run.append(item)
            continue
        things = [one for one in run if one.kind is not Kind.BLANK]
        if things:
            if (columns and _must_know(things[0])) or (item is not None and _must_know(things[-1])):
                return []
            before = " " if columns and things[0].kind not in _CLINGS else ""
            after = " " if item is not None and things[-1].kind not in THINGS | {Kind.OPEN} else ""
            columns.append([before + join(run).text + after])
        run = []
        if item is not None:
            columns.append([line.text for line in item.lines])
    return columns


def _must_know(item: Item) -> bool:
    return item.kind in (Kind.FRACTION, Kind.ROOT)


def _fenced(lines: Sequence[Line], opened: str, closed: str) -> tuple[Line, ...]:
    count = len(lines)
    if count < 2:
        return tuple(Line(f"{opened}{line.text}{closed}") for line in lines)
    width = max(cell_len(line.text) for line in lines)
    fenced = []
    for place, line in enumerate(lines):
        left, right = _piece(opened, place, count), _piece(closed, place, count)
        gap = " " if opened == "{" else ""
        blank = " " * (width - cell_len(line.text)) if right else ""
        fenced.append(Line(f"{left}{gap}{line.text}{blank}{right}", shifted(line.parts, len(left + gap))))
    return tuple(fenced)


def _piece(fence: str, place: int, count: int) -> str:
    top, between, middle, bottom = _TALL[fence]
    if place == 0:
        return top
    if place == count - 1:
        return bottom
    return middle if place == count // 2 else between


def _case(row: Sequence[Sequence[Item]]) -> str:
    """A case on one line: a comma parts the value from its condition, unless a word or a comma does."""
    text = ""
    for cell in row:
        shown = join(cell).text.strip()
        words = next((item.kind is Kind.WORDS for item in cell if item.kind is not Kind.BLANK), False)
        between = "" if not text or not shown else " " if words or text.endswith(",") else ", "
        text += between + shown
    return text


def _entries(rows: Cells, columns: str) -> Iterator[str | None]:
    """A matrix's rows on one line each; commas where blanks alone would not part its entries."""
    texts = [[join(cell, tight=True).text for cell in row] for row in rows]
    every = [text for row in texts for text in row]
    between = ", " if any(" " in text for text in every) else " "
    told_apart = "|" not in columns and all(every) and not (between == ", " and any("," in text for text in every))
    yield from (between.join(row) if told_apart else None for row in texts)


def _on_one_line(rows: Iterable[str | None]) -> str:
    """The rows behind one another; nothing where that cannot be told apart again."""
    texts = [None if row is None or ";" in row else row.strip() for row in rows]
    return "" if None in texts else "; ".join(text or "" for text in texts)


def _grid(rows: Cells, columns: str, gap: str) -> tuple[Line, ...]:
    """Cells in columns of one width each; columns: l, c or r for each, | for a bar before it."""
    letters = [char for char in columns if char != "|"]
    cells = [[join(cell) for cell in row] for row in rows]
    count = max(map(len, cells))
    if count > len(letters):
        raise Raw
    widths = [max((cell_len(row[place].text) for row in cells if place < len(row)), default=0) for place in range(count)]
    bars = [place for place in range(count) if _bar_before(columns, place)]
    lines = []
    for row in cells:
        text = ""
        parts: list[Part] = []
        for place, cell in enumerate(row):
            if place:
                text += gap
            if place in bars:
                text += "│" + gap
            text, moved = _padded(text, cell, widths[place], letters[place])
            parts += moved
        lines.append(_trimmed(text, parts) if letters[-1] != "r" else Line(text, tuple(parts)))
    return tuple(lines)


def _trimmed(text: str, parts: Sequence[Part]) -> Line:
    """The line without the blanks at its end."""
    text = text.rstrip()
    most = len(text)
    return Line(text, tuple((start, end, min(at, most), min(to, most)) for start, end, at, to in parts))


def _padded(text: str, cell: Line, width: int, side: str) -> tuple[str, tuple[Part, ...]]:
    blank = max(0, width - cell_len(cell.text))
    left = blank if side == "r" else blank // 2 if side == "c" else 0
    return text + " " * left + cell.text + " " * (blank - left), shifted(cell.parts, len(text) + left)


def _bar_before(columns: str, place: int) -> bool:
    letters = -1
    for before, char in zip(" " + columns, columns, strict=False):
        letters += char != "|"
        if char != "|" and letters == place:
            return before == "|"
    return False


def _aligned(rows: Cells) -> tuple[Line, ...]:
    """Equations under one another, what stands before the first & flush right."""
    cells = [[join(_relating(cell)) for cell in row] for row in rows]
    widest = max((cell_len(row[0].text) for row in cells if len(row) > 1), default=0)
    if widest > _WIDEST_TO_ALIGN:
        widest = 0
    lines = []
    for row in cells:
        text = ""
        parts: list[Part] = []
        for place, cell in enumerate(row):
            if place:
                text += "  " if place % 2 == 0 else " " if text else ""
            text, moved = _padded(text, cell, widest if place == 0 and len(row) > 1 else 0, "r")
            parts += moved
        lines.append(_trimmed(text, parts))
    return tuple(lines)


def _relating(cell: Sequence[Item]) -> Sequence[Item]:
    """A cell that begins with = has a blank behind it, for one stands before it."""
    if cell and cell[0].kind is Kind.RELATION:
        return [cell[0]._replace(spaced=True), *cell[1:]]
    return cell
