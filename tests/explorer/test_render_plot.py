"""Pictures in cells: every line has its width, every point its column, nothing hides another thing, no colour speaks alone."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from explorer.render.pieces import Line
from explorer.render.plot import Curve, Frame, Signal, lines, plot
from explorer.render.plots.bars import bars
from explorer.render.plots.cells import Drawn, with_cursor
from explorer.render.plots.numbers import read_out
from explorer.render.plots.picture import MARKERS, Crossing, Picture, Series, Shape
from explorer.render.plots.rows import rows

KS = (1, 2, 4, 8, 16, 32, 64, 128)
RISING = Curve("base", (0.2, 0.3, 0.42, 0.55, 0.66, 0.75, 0.83, 0.9))
FLAT = Curve("RL", (0.5, 0.55, 0.6, 0.63, 0.66, 0.7, 0.72, 0.75))


def drawn(curves: list[Curve], width: int, height: int) -> list[str]:
    found: list[Line] = plot(KS, curves, width, height)
    return ["".join(part for part, _ in line) for line in found]


@pytest.mark.parametrize("width", range(24, 120, 7))
def test_the_first_and_the_last_k_are_labelled(width: int) -> None:
    found = drawn([RISING, FLAT], width, 10)
    labels = found[-1].split()
    assert (labels[0], labels[-1]) == ("1", "128")
    assert set(labels) <= set(map(str, KS))
    assert {len(line) for line in found} == {width}


def test_where_there_are_few_rows_the_percents_are_few() -> None:
    assert [line[:3].strip() for line in drawn([RISING], 60, 8) if "┤" in line and line[0:3].strip()] == ["100", "50", "0"]
    assert [line[:3].strip() for line in drawn([RISING], 60, 15) if line[0:3].strip().isdecimal()] == [
        "100",
        "75",
        "50",
        "25",
        "0",
    ]


@pytest.mark.parametrize("height", [6, 10, 20])
def test_no_curve_hides_the_other(height: int) -> None:
    same = "\n".join(drawn([RISING, Curve("RL", RISING.values)], 60, height))
    assert "▣" in same
    assert any("▀" <= char <= "▟" for char in same)
    assert any("⠀" < char <= "⣿" for char in same)
    crossing = "\n".join(drawn([RISING, FLAT], 60, height))
    assert crossing.count("■") + crossing.count("▣") == len(KS)
    assert crossing.count("○") + crossing.count("▣") == len(KS)


def picture(*values: tuple[float | None, ...], **more: Any) -> Picture:
    series = tuple(Series(f"run {number}", f"run {number}", of) for number, of in enumerate(values))
    return Picture("pass@k", "", places=tuple(str(2**at) for at in range(len(values[0]))), series=series, **more)


def text(line: Line) -> str:
    return "".join(part for part, _ in line)


def cells(drawn: Drawn) -> list[str]:
    return ["".join(char for char, _ in row) for row in drawn.grid]


shares = st.floats(0, 100)
curves = st.integers(2, 13).flatmap(
    lambda places: st.lists(st.lists(st.none() | shares, min_size=places, max_size=places).map(tuple), min_size=1, max_size=8)
)


@settings(max_examples=60, deadline=None)
@given(curves, st.integers(24, 200), st.integers(6, 50), st.integers(0, 12))
def test_every_line_has_exactly_the_width(values: list[tuple[float | None, ...]], width: int, height: int, place: int) -> None:
    drawn = lines(picture(*values), width, height)
    assert len(drawn.grid) == height
    for line in (*drawn.lines, *with_cursor(drawn, place)):
        assert cell_len(text(line)) == width


@settings(max_examples=60, deadline=None)
@given(st.lists(shares, min_size=2, max_size=12).map(tuple), st.integers(40, 200), st.integers(8, 50))
def test_the_point_for_each_k_is_in_its_column(values: tuple[float, ...], width: int, height: int) -> None:
    drawn = lines(picture(values), width, height)
    assert list(drawn.columns) == sorted(set(drawn.columns))
    assert len(drawn.columns) == len(values)
    for place, value in enumerate(values):
        column = [row[drawn.columns[place]] for row in cells(drawn)[: drawn.rows]]
        wanted = (1 - value / 100) * (drawn.rows - 1)
        assert any(char == "■" and abs(line - wanted) <= 0.5 + 1e-6 for line, char in enumerate(column))


@settings(max_examples=30, deadline=None)
@given(st.integers(2, 12), st.integers(0, 11), st.integers(40, 160))
def test_the_cursor_stands_at_its_place_and_covers_no_mark(places: int, place: int, width: int) -> None:
    place = min(place, places - 1)
    drawn = lines(picture(tuple(10.0 * at for at in range(places))), width, 12)
    before, after = cells(drawn), [text(line) for line in with_cursor(drawn, place)]
    at = drawn.columns[place]
    assert after[drawn.rows][at] == "▲"
    for line, (old, new) in enumerate(zip(before, after, strict=True)):
        changed = [column for column in range(width) if old[column] != new[column]]
        assert set(changed) <= {at}
        assert line == drawn.rows or all(old[column] in " ░·┄┊╎" for column in changed)


def test_what_is_unknown_is_not_drawn() -> None:
    drawn = lines(picture((10.0, 20.0, None, None)), 60, 12)
    right = drawn.columns[1] + 1
    assert all(row[right : 60 - drawn.margin].strip() == "" for row in cells(drawn)[: drawn.rows])


def test_bands_are_seen_and_told_apart_without_colour() -> None:
    values, low, high = (30.0,) * 6, (10.0,) * 6, (50.0,) * 6
    base = Series("base", "base", values, low, high)
    other = Series("RL", "RL", (70.0,) * 6, (60.0,) * 6, (95.0,) * 6)
    both = "\n".join(cells(lines(Picture("p", "", places=tuple("123456"), series=(base, other)), 60, 20)))
    assert both.count("░") > 60
    assert both.count("·") > 60


def test_a_band_goes_from_its_low_to_its_high_end() -> None:
    one = Series("base", "base", (50.0, 50.0), (20.0, 20.0), (80.0, 80.0))
    drawn = lines(Picture("p", "", places=("1", "2"), series=(one,)), 60, 23)
    middle = (drawn.columns[0] + drawn.columns[1]) // 2
    shaded = [line for line, row in enumerate(cells(drawn)[: drawn.rows]) if row[middle] == "░"]
    wanted = [(1 - end / 100) * (drawn.rows - 1) for end in (80, 20)]
    assert (shaded[0], shaded[-1]) == pytest.approx(wanted, abs=0.51)


def test_the_zero_line_is_where_zero_is_labelled() -> None:
    for height in range(7, 30):
        drawn = lines(picture((-5.0, 8.0), has_zero=True, limits=(-10.0, 10.0)), 60, height)
        zero = [row for row in cells(drawn)[: drawn.rows] if "┄" in row]
        assert [row.split("┤")[0].strip() for row in zero] == ["0"]


def test_the_crossing_stands_between_the_k_it_lies_between() -> None:
    drawn = lines(picture((1.0, 2.0, 3.0, 4.0), crossing=Crossing(1.5, "k* 3 [2, never]")), 80, 14)
    columns = {row.index("┊") for row in cells(drawn)[: drawn.rows] if "┊" in row}
    assert len(columns) == 1
    assert drawn.columns[1] < columns.pop() < drawn.columns[2]
    assert "k* 3 [2, never]" in "\n".join(cells(drawn))


def test_words_at_the_line_ends_name_every_series_with_a_marker_of_its_own() -> None:
    drawn = "\n".join(cells(lines(picture(*(((90.0, 90.0 - place)) for place in range(8))), 100, 20)))
    assert len(set(MARKERS)) == len(MARKERS) == 8
    assert all(f"{marker} run {place}" in drawn for place, marker in enumerate(MARKERS))


def test_hostile_names_take_their_cells_and_no_more() -> None:
    one = Series("漢字\x1b[31m[b]e\u0301\u202e", "x", (1.0, 2.0))
    drawn = lines(Picture("p", "", places=("1", "2"), series=(one,)), 80, 10)
    assert {cell_len(line) for line in cells(drawn)} == {80}
    assert "\x1b" not in "".join(cells(drawn))


@settings(max_examples=40, deadline=None)
@given(
    st.integers(1, 14).flatmap(
        lambda places: st.lists(
            st.lists(st.none() | st.integers(0, 500).map(float), min_size=places, max_size=places).map(tuple),
            min_size=1,
            max_size=2,
        )
    ),
    st.integers(24, 200),
    st.integers(6, 40),
)
def test_bars_fill_their_cells_and_are_as_high_as_their_values(
    values: list[tuple[float | None, ...]], width: int, height: int
) -> None:
    most = max((value for of in values for value in of if value is not None), default=1.0)
    shown = replace(picture(*values), shape=Shape.BARS, digits=0, limits=(0.0, 1.12 * (most or 1.0)))
    drawn = bars(shown, width, height)
    assert all(len(row) == width for row in drawn.grid)
    if drawn.grid and len(values) == 1:
        for place, value in enumerate(values[0]):
            column = [row[drawn.columns[place]] for row in cells(drawn)[: drawn.rows]]
            filled = sum(char in "█▁▂▃▄▅▆▇" for char in column)
            assert filled == 0 if not value else filled >= 1
            assert abs(filled - (value or 0) / shown.limits[1] * drawn.rows) <= 1


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.lists(st.floats(1, 5000), min_size=5, max_size=5).map(sorted), min_size=1, max_size=4),
    st.integers(30, 200),
    st.integers(3, 30),
)
def test_boxes_stand_in_the_order_of_their_quantiles(groups: list[list[float]], width: int, height: int) -> None:
    least, low, middle, high, most = (tuple(of) for of in zip(*groups, strict=True))
    shown = Picture(
        "lengths", "", Shape.ROWS, "responses", "tokens", tuple(f"row {place}" for place in range(len(groups))),
        series=(Series("median", "median", middle, low, high, least, most),), limits=(1.0, 5000.0), is_log=True,
    )  # fmt: skip
    drawn = rows(shown, width, height)
    assert all(len(row) == width for row in drawn.grid)
    for place in range(len(groups)) if drawn.grid else ():
        line = cells(drawn)[drawn.columns[place]]
        assert f"row {place}" in line
        assert "┃" in line
    for at, shown_line in enumerate(with_cursor(drawn, 0)):
        assert text(shown_line).startswith("▸") == (at == drawn.columns[0])


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 32), min_size=2, max_size=12), st.integers(30, 150), st.integers(6, 40))
def test_rows_and_columns_are_plotext_s_own(eighths: list[int], width: int, height: int) -> None:
    values = [of * 100 / 32 for of in eighths]
    frame = Frame(tuple(map(str, range(len(values)))), (0.0, 100.0), width, height)
    ground = frame.ground()
    asked = frame.marks([Signal(list(range(len(values))), values, "■")])
    assert set(asked) == {(frame.row(value, ground.rows), ground.columns[at]) for at, value in enumerate(values)}


def test_the_study_s_plot_has_bands_where_it_is_given_them() -> None:
    low, high = (tuple((value or 0) + by for value in RISING.values) for by in (-0.15, 0.1))
    bare, banded = drawn([RISING, FLAT], 80, 14), drawn([replace(RISING, low=low, high=high), FLAT], 80, 14)
    assert "░" not in "".join(bare)
    assert "".join(banded).count("░") > 40
    assert [line.replace("░", " ") for line in banded] == bare


def test_many_values_are_read_out_on_few_lines() -> None:
    values, low, high = (50.0, 60.0), (40.0, 50.0), (60.0, 70.0)
    runs = tuple(Series(f"quite a long run {number}", "", values, low, high) for number in range(8))
    shown = Picture("runs", "", places=("1", "2"), series=runs)
    read = [text(line) for line in read_out(shown, 1, 99, 4)]
    assert len(read) == 4
    assert "long run 7 60.0" in read[-1]
    assert "long run 1 60.0 [50.0, 70.0]" in " ".join(read)
