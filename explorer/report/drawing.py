"""How the pictures are drawn: one style, made by matplotlib as SVG, the same bytes for the same numbers.

Text stays text (it can be read aloud, searched, and takes the page's colour), names are never read as formulas, nothing in the
file tells when or where it was made. Colours are roles here (ink, grid, base, other, ...): in a page they become CSS variables,
so that one picture serves light and dark; on its own, an SVG file has the light ones on white.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from io import StringIO
from typing import TYPE_CHECKING, Any, Final

from store.errors import BaseboundError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Blue and orange first, told apart by all kinds of colour vision; marker and line say the same again.
LIGHT: Final = {
    "ink": "#16181b", "muted": "#59616a", "grid": "#dfe3e7", "paper": "#ffffff",
    "base": "#0a5db3", "other": "#c2570a", "third": "#0b7a5c", "fourth": "#9c2f78", "fifth": "#7a6400", "sixth": "#4a6fa1",
    "seventh": "#b3312a", "eighth": "#3f4650",
    "both": "#a8b2bd", "neither": "#e9ecef",
}  # fmt: skip
"""Each colour is that of one role only: it is how a page finds it again."""
DARK: Final = {
    "ink": "#e6e8ea", "muted": "#a2abb4", "grid": "#30363d", "paper": "#14171a",
    "base": "#6cabff", "other": "#f0a13a", "third": "#45cfa2", "fourth": "#e890cb", "fifth": "#d8c456", "sixth": "#9ab8e6",
    "seventh": "#ff8f85", "eighth": "#c3c9d0",
    "both": "#66717d", "neither": "#262b31",
}  # fmt: skip

FONT: Final = "DejaVu Sans"
"""Its metrics are matplotlib's own, the same everywhere; a page shows another face, which is narrower."""

_STYLE: Final[Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "basebound",
    "text.parse_math": False,
    "text.usetex": False,
    "font.family": [FONT],
    "font.size": 8.5,
    "axes.titlesize": 9,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.titlepad": 9,
    "axes.labelsize": 8.5,
    "axes.labelcolor": LIGHT["muted"],
    "axes.titlecolor": LIGHT["ink"],
    "axes.edgecolor": LIGHT["muted"],
    "axes.linewidth": 0.8,
    "axes.facecolor": "none",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": LIGHT["grid"],
    "grid.linewidth": 0.8,
    "xtick.color": LIGHT["muted"],
    "ytick.color": LIGHT["muted"],
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
    "xtick.major.size": 3,
    "ytick.major.size": 0,
    "text.color": LIGHT["ink"],
    "figure.facecolor": "none",
    "savefig.facecolor": "none",
    "lines.linewidth": 1.8,
    "lines.markersize": 4.5,
    "lines.solid_capstyle": "round",
    "hatch.linewidth": 0.9,
    "path.simplify": False,
}


def require_matplotlib() -> None:
    """Raises BaseboundError where the pictures' extra is not installed."""
    try:
        import matplotlib  # noqa: F401
    except ModuleNotFoundError:
        raise BaseboundError(
            "the html and md reports have figures, which need matplotlib; install it with: pip install 'basebound[report]',"
            " or ask for --format json,csv"
        ) from None


def drawn(draw: Callable[..., None], width: float, height: float, panels: Sequence[float] = (1,)) -> str:
    """The SVG that `draw(axes, ...)` makes of one row of axes, in inches; panels: their widths, relative."""
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    with _styled():
        figure = Figure(figsize=(width, height), layout=ConstrainedLayoutEngine(w_pad=0.06, h_pad=0.06, wspace=0.06))
        FigureCanvasSVG(figure)
        grid = figure.add_gridspec(1, len(panels), width_ratios=list(panels))
        draw(*(figure.add_subplot(grid[0, at]) for at in range(len(panels))))
        return _svg(figure)


@contextmanager
def _styled() -> Iterator[None]:
    import matplotlib as mpl

    # A glyph that matplotlib's own font lacks is the reader's font's business: the text is in the file.
    with mpl.rc_context(), warnings.catch_warnings():
        mpl.rcdefaults()
        mpl.rcParams.update(_STYLE)
        warnings.filterwarnings("ignore", message="Glyph .* missing")
        yield


def _svg(figure: Figure) -> str:
    file = StringIO()
    figure.savefig(file, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    text = file.getvalue()
    return text[text.index("<svg") :].strip()


def spread(wanted: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Places for labels, in the order of `wanted` and as near as can be, at least `gap` apart, within low to high where there
    is room for all."""
    order = sorted(range(len(wanted)), key=lambda at: wanted[at])
    groups: list[tuple[float, int]] = []  # middle and size of labels that touch, from below
    for at in order:
        middle, size = _within(wanted[at], 0.0, low, high), 1
        while groups and middle - groups[-1][0] < gap * (size + groups[-1][1]) / 2:
            below, many = groups.pop()
            size += many
            middle = _within((below * many + middle * (size - many)) / size, gap * (size - 1) / 2, low, high)
        groups.append((middle, size))
    places = [middle + gap * (one - (size - 1) / 2) for middle, size in groups for one in range(size)]
    return [place for _, place in sorted(zip(order, places, strict=True))]


def _within(middle: float, half: float, low: float, high: float) -> float:
    """The middle of what reaches `half` to either side, moved so that it lies within; above `low` where there is no room."""
    return max(low + half, min(high - half, middle))


_PAGE_SCALE: Final = 1.66
"""Pixels to a point at most: text of 8.5 points is then as large as a caption's."""

_SIZE: Final = re.compile(r'<svg [^>]*?height="[\d.]+pt"[^>]*?viewBox="(?P<box>[^"]+)"[^>]*>')
_ID: Final = re.compile(r'( id="|href="#|url\(#)')
_FAMILY: Final = re.compile(r"'DejaVu Sans'(, [^;\"]+)?|&quot;DejaVu Sans&quot;")


def for_page(svg: str, name: str, alt: str) -> str:
    """The picture to stand in a page: it takes the page's colours and width, and its ids are its own.

    name: of the figure, unique in its page. alt: already escaped.
    """
    found = _SIZE.search(svg)
    box = found["box"] if found else "0 0 100 100"
    width = float(box.split()[2])
    body = svg[svg.index(">") + 1 :]
    for role, colour in LIGHT.items():
        body = body.replace(colour, f"var(--{role})")
    body = _ID.sub(lambda match: f"{match[1]}{name}-", body)
    body = body.replace(f"'{FONT}'", "var(--face)").replace(' xmlns:xlink="http://www.w3.org/1999/xlink"', "")
    head = f'<svg viewBox="{box}" role="img" aria-label="{alt}" style="max-width:{width * _PAGE_SCALE:.0f}px">'
    return head + "\n".join(line for line in body.splitlines() if line.strip())


def for_file(svg: str, alt: str) -> str:
    """The picture as a file of its own: on white, with its alternative text. alt: already escaped."""
    end = svg.index(">") + 1
    box = (_SIZE.search(svg) or re.compile('viewBox="(?P<box>[^"]+)"').search(svg))["box"].split()  # type: ignore[index]
    paper = f'<rect width="{box[2]}" height="{box[3]}" fill="{LIGHT["paper"]}"/>'
    return f'<?xml version="1.0" encoding="utf-8"?>\n{svg[:end]}\n <title>{alt}</title>\n {paper}{svg[end:]}\n'
