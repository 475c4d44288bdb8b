"""The document as one HTML file: no script, nothing fetched from anywhere, light and dark, printable.

Every text is escaped here, whoever wrote it; the pictures are inline SVG in the page's own colours.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from typing import Final

from explorer.report.document import Block, Document, Grid, Picture, Points, Prose, Section
from explorer.report.drawing import DARK, LIGHT, for_page
from explorer.report.wording import safe

_STYLE: Final = """
:root { color-scheme: light dark; LIGHT; --tint: #f4f6f8; --warn: #fff4d6; --warn-edge: #b98900;
  --face: system-ui, -apple-system, "Segoe UI", "Helvetica Neue", Arial, "DejaVu Sans", sans-serif; }
@media (prefers-color-scheme: dark) { :root { DARK; --tint: #1c2026; --warn: #33290d; --warn-edge: #d8b13a; } }
@media print { :root { LIGHT; --tint: #f4f6f8; --warn: #fff4d6; color-scheme: light; } }
* { box-sizing: border-box; }
html { background: var(--paper); color: var(--ink); font: 16px/1.55 var(--face); -webkit-text-size-adjust: 100%; }
body { margin: 0 auto; max-width: 62rem; padding: 2.5rem 1.25rem 5rem; }
h1 { font-size: 1.9rem; line-height: 1.2; margin: 0 0 .3rem; letter-spacing: -.015em; overflow-wrap: anywhere; }
h2 { font-size: 1.45rem; margin: 3.2rem 0 .8rem; padding-top: 1.1rem; border-top: 2px solid var(--ink); }
h3 { font-size: 1.12rem; margin: 2.6rem 0 .6rem; }
h2, h3 { overflow-wrap: anywhere; line-height: 1.3; break-after: avoid; }
p, ul { max-width: 46rem; margin: .6rem 0; }
li { margin: .35rem 0; }
.under { color: var(--muted); margin: 0 0 1.5rem; }
nav { background: var(--tint); border-radius: 8px; padding: .8rem 1.1rem; font-size: .93rem; }
nav ul { margin: 0; padding: 0; list-style: none; max-width: none; columns: 2 18rem; column-gap: 2rem; }
nav li { margin: .12rem 0; break-inside: avoid; }
nav .deep { padding-left: 1.1rem; }
a { color: var(--base); text-decoration-thickness: 1px; text-underline-offset: .18em; }
.warns { background: var(--warn); border-left: 4px solid var(--warn-edge); border-radius: 0 6px 6px 0; padding: .6rem .9rem; }
ul.warns { padding-left: 2rem; }
figure { margin: 1.6rem 0 2rem; break-inside: avoid; }
figure svg { display: block; width: 100%; height: auto; }
figcaption, .note { color: var(--muted); font-size: .86rem; line-height: 1.45; max-width: 52rem; margin: .5rem 0 0; }
figcaption b, caption, summary { color: var(--ink); font-weight: 600; }
.made { display: block; margin-top: .25rem; font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
.grid { margin: 1.5rem 0; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: .87rem; line-height: 1.35; font-variant-numeric: tabular-nums; min-width: 60%; }
caption, summary { text-align: left; font-size: .95rem; padding: 0 0 .35rem; overflow-wrap: anywhere; }
summary { cursor: pointer; }
th, td { padding: .36rem .7rem .36rem 0; text-align: right; vertical-align: top; white-space: nowrap; }
th { color: var(--muted); font-weight: 500; border-bottom: 1px solid var(--muted); vertical-align: bottom; white-space: normal }
td { border-bottom: 1px solid var(--grid); }
.w { text-align: left; white-space: normal; overflow-wrap: anywhere; min-width: 7rem; max-width: 24rem; }
.long { min-width: 18rem; max-width: 30rem; }
td small { display: block; color: var(--muted); font-size: .92em; }
@media print {
  body { max-width: none; padding: 0; font-size: 10pt; }
  nav { display: none; }
  h2 { break-before: page; } main > section:first-child h2 { break-before: auto; }
  .scroll { overflow: visible; } table { font-size: 7.5pt; } th, td { padding-right: .4rem; } tr { break-inside: avoid; }
  figcaption, .note { font-size: 8pt; }
  details::details-content { content-visibility: visible; height: auto; }
}
"""

_LONG: Final = 40
"""A cell with more characters gets room."""


def page(document: Document) -> str:
    """The whole file."""
    style = _STYLE.replace("LIGHT", _variables(LIGHT)).replace("DARK", _variables(DARK)).strip()
    body = "".join(_section(section, at) for at, section in enumerate(document.sections))
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
        f"<title>{_words(document.title)}</title>\n<style>\n{style}\n</style>\n</head>\n<body>\n"
        f'<header>\n<h1>{_words(document.title)}</h1>\n<p class="under">{_words(document.subtitle)}</p>\n</header>\n'
        f"{_contents(document)}<main>\n{body}</main>\n</body>\n</html>\n"
    )


def _variables(colours: dict[str, str]) -> str:
    return "; ".join(f"--{role}: {colour}" for role, colour in colours.items())


def _contents(document: Document) -> str:
    items = "".join(
        f'<li{" class=deep" if section.level > 2 else ""}><a href="#s{at}">{_words(section.title)}</a></li>\n'
        for at, section in enumerate(document.sections)
    )
    return f'<nav aria-label="Contents">\n<ul>\n{items}</ul>\n</nav>\n'


def _section(section: Section, at: int) -> str:
    heading = f'<h{section.level} id="s{at}">{_words(section.title)}</h{section.level}>\n'
    return f"<section>\n{heading}{''.join(_block(block) for block in section.blocks)}</section>\n"


def _block(block: Block) -> str:
    match block:
        case Prose():
            return f"<p{_class(block.warns)}>{_words(block.text)}</p>\n"
        case Points():
            items = "".join(f"<li>{_words(item)}</li>\n" for item in block.items)
            return f"<ul{_class(block.warns)}>\n{items}</ul>\n"
        case Grid():
            return _grid(block)
        case Picture():
            return _figure(block)


def _class(warns: bool) -> str:
    return ' class="warns"' if warns else ""


def _figure(picture: Picture) -> str:
    return (
        f'<figure id="{picture.name}">\n{for_page(picture.svg, picture.name, escape(safe(picture.alt)))}\n'
        f"<figcaption><b>{_words(picture.title)}.</b> {_words(picture.caption)}"
        f'<span class="made">{_words(picture.settings)}</span></figcaption>\n</figure>\n'
    )


def _grid(grid: Grid) -> str:
    table = f'<div class="scroll">\n<table>\n{"".join(_rows(grid))}</table>\n</div>\n'
    note = f'<p class="note">{_words(grid.note)}</p>\n' if grid.note else ""
    if grid.folded:
        return f'<details class="grid">\n<summary>{_words(grid.title)}</summary>\n{table}{note}</details>\n'
    return f'<div class="grid">\n{table}{note}</div>\n'


def _rows(grid: Grid) -> Iterator[str]:
    if not grid.folded:
        yield f"<caption>{_words(grid.title)}</caption>\n"
    if any(grid.header):
        yield f"<thead>\n<tr>{''.join(_cells(grid, grid.header, 'th'))}</tr>\n</thead>\n"
    yield "<tbody>\n"
    for row in grid.rows:
        yield f"<tr>{''.join(_cells(grid, row, 'td'))}</tr>\n"
    yield "</tbody>\n"


def _cells(grid: Grid, row: Sequence[str], kind: str) -> Iterator[str]:
    for at, cell in enumerate(row):
        first, *below = cell.split("\n")
        is_long = max(len(line) for line in (first, *below)) > _LONG
        name = (["w"] if at < grid.left or is_long else []) + (["long"] if is_long else [])
        attribute = f' class="{" ".join(name)}"' if name else ""
        scope = ' scope="col"' if kind == "th" else ""
        small = "".join(f"<small>{_words(line)}</small>" for line in below)
        yield f"<{kind}{scope}{attribute}>{_words(first)}{small}</{kind}>"


def _words(text: str) -> str:
    """Safe and escaped; what belongs on one line stays there."""
    return escape(safe(text)).replace("k = ", "k&nbsp;=&nbsp;").replace("95 %", "95&nbsp;%")
