"""The plot: both curves stay in sight, and the axes say where they begin and end."""

from __future__ import annotations

import pytest

from explorer.render.pieces import Line
from explorer.render.plot import Curve, plot

KS = (1, 2, 4, 8, 16, 32, 64, 128)
RISING = Curve("base", (0.2, 0.3, 0.42, 0.55, 0.66, 0.75, 0.83, 0.9))
FLAT = Curve("RL", (0.5, 0.55, 0.6, 0.63, 0.66, 0.7, 0.72, 0.75))


def drawn(curves: list[Curve], width: int, height: int) -> list[str]:
    lines: list[Line] = plot(KS, curves, width, height)
    return ["".join(text for text, _ in line) for line in lines]


@pytest.mark.parametrize("width", range(24, 120, 7))
def test_the_first_and_the_last_k_are_labelled(width: int) -> None:
    lines = drawn([RISING, FLAT], width, 10)
    labels = lines[-1].split()
    assert (labels[0], labels[-1]) == ("1", "128")
    assert set(labels) <= set(map(str, KS))
    assert {len(line) for line in lines} == {width}


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
