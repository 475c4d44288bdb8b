"""Names, numbers and settings as a reader meets them.

Names, keys, templates and answers are a stranger's text: `safe` makes what they hide visible before they go anywhere, and each
format then escapes what it must.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import sha256
from math import floor, isnan, log, log10
from typing import Final

from engine.analyses.crossover import Crossing, Crossover
from engine.analyses.perplexity import odds
from explorer.render.text import one_line
from store.names import number_text, slugify
from store.rows import RunRow
from store.types import UNKNOWN

UNKNOWN_MARK: Final = "–"

LEVEL_WORDS: Final = "95 %"

NO_XML: Final = str.maketrans({"\ufffe": "⟨U+FFFE⟩", "\uffff": "⟨U+FFFF⟩"})
"""What a terminal leaves out and an SVG must not hold."""

_SAID: Final = (
    ("T", "temperature"), ("top-p", "top_p"), ("top-k", "top_k"), ("prompt", "prompt_template"),
    ("max tokens", "max_tokens"), ("cap", "context_cap"),
)  # fmt: skip

_SEEN: Final = {"\n": "⏎", "\r": "␍", "\t": "␉"}
_PROMPT_CHARS: Final = 60
_FILE_CHARS: Final = 40
"""Of a benchmark's name in a file's."""


def safe(text: str) -> str:
    """The text on one line, with everything spelled out that would be hidden or acted on."""
    return one_line(text).translate(NO_XML)


def short(text: str, chars: int) -> str:
    """Cut in the middle, so that both ends of a long name tell it from others."""
    if len(text) <= chars:
        return text
    head = (chars - 1) // 2
    return f"{text[:head]}…{text[len(text) - (chars - 1 - head) :]}"


def percent(share: float | None) -> str:
    return UNKNOWN_MARK if _unknown(share) else f"{100 * share:.1f}"  # type: ignore[operator]


def points(share: float | None) -> str:
    """A difference of shares in points, with its sign."""
    return UNKNOWN_MARK if _unknown(share) else f"{round(100 * share, 1) + 0.0:+.1f}".replace("-", "−")  # type: ignore[operator]


def between(low: float | None, high: float | None, *, signed: bool = False) -> str:
    """An interval of shares in percent or points."""
    told = points if signed else percent
    return UNKNOWN_MARK if _unknown(low) or _unknown(high) else f"{told(low)} to {told(high)}"


def p_text(p_value: float | None) -> str:
    """A p-value with two digits that count."""
    if _unknown(p_value) or p_value is None:
        return UNKNOWN_MARK
    if p_value < 1e-4:
        return "< 0.0001"
    return f"{p_value:.2g}" if p_value < 0.1 else f"{p_value:.2f}"


def ratio(value: float | None) -> str:
    return UNKNOWN_MARK if _unknown(value) else f"{round(value or 0.0, 3) + 0.0:.3f}".replace("-", "−")


def chance(value: float | None) -> str:
    """A probability in percent, two digits that count; as odds where it is tiny."""
    if value is None or isnan(value):
        return UNKNOWN_MARK
    if value <= 0:
        return "0 %"
    return f"{plain(100 * value)} %" if value >= 1e-5 else odds(log(value))


def plain(value: float) -> str:
    """A number with two digits that count, never by powers of ten while it is above a hundred thousandth: 100, 9.4, 0.0001."""
    if not value:
        return "0"
    size = floor(log10(abs(value)))
    if size < -5:
        return f"10^{log10(abs(value)):.1f}".removesuffix(".0")
    return f"{value:,.0f}" if size >= 1 else f"{value:.{1 - size}f}".rstrip("0").rstrip(".")


def token(text: str, chars: int) -> str:
    """A token as one may read it: its line ends and tabs seen, its ends marked."""
    return f"“{short(''.join(_SEEN.get(char, char) for char in text), chars)}”"


def whole(value: int | None) -> str:
    return UNKNOWN_MARK if value is None else f"{value:,}"


def problems(number: int) -> str:
    return f"{number:,} problem{'' if number == 1 else 's'}"


def span(numbers: Iterable[int]) -> str:
    """1024, or 256 to 1024 where they differ."""
    found = sorted(set(numbers))
    if not found:
        return UNKNOWN_MARK
    return f"{found[0]:,}" if len(found) == 1 else f"{found[0]:,} to {found[-1]:,}"


def crossing(found: Crossover, k: int, who: str = "base") -> str:
    """Where `who` overtakes the other of two runs, in a sentence's part; k is the common one."""
    if found.verdict is Crossing.CROSSES:
        low, high = (f"not by {k:,}" if limit is None else whole(limit) for limit in (found.low, found.high))
        return f"from k = {whole(found.k)} on ({LEVEL_WORDS} {low} to {high}; probability {found.probability:.2f} by k = {k:,})"
    return f"{found.verdict.value}; probability that {who} overtakes by k = {k:,} {found.probability:.2f}"


def mcnemar(p_value: float | None) -> str:
    """McNemar's test in a sentence's part, or why there is none."""
    if p_value is None:
        return "no exact test of the sets, since the runs' n differ"
    return f"McNemar's exact p {p_text(p_value)}"


def settings(
    runs: Sequence[RunRow], verifier: str, *, ks: Iterable[int] = (), n: Iterable[int] = (), problems_of: Iterable[int] = ()
) -> str:
    """What a figure must carry: k, n, problems, how the runs were drawn, who judged. Where runs differ, every value."""
    said = [
        f"{word} {span(numbers)}"
        for word, numbers in (("k", set(ks)), ("n", set(n)), ("problems", set(problems_of)))
        if numbers
    ]
    for word, name in _SAID:
        values = list(dict.fromkeys(_setting(name, run) for run in runs))
        if name != "top_k" or not {"0", UNKNOWN}.issuperset(values):
            said.append(f"{word} {' / '.join(values[:4])}{' / …' if len(values) > 4 else ''}")
    return " · ".join([*said, f"verifier {safe(verifier)}"])


def in_file(table: str) -> str:
    """Where all rows of a table are, for somebody who has only this file."""
    return f"{table}.csv (--format csv)"


def figure_name(benchmark: str, what: str) -> str:
    """A figure's name, of letters that any file system and any page take, and no other benchmark's."""
    name = slugify(benchmark)
    if name != benchmark or len(name) > _FILE_CHARS:
        name = f"{name[:_FILE_CHARS]}-{sha256(benchmark.encode()).hexdigest()[:6]}"
    return f"{name}-{what}"


def _setting(name: str, run: RunRow) -> str:
    value = getattr(run.settings, name)
    if name != "prompt_template":
        return safe(number_text(value))
    text = safe(str(value).replace("\n", "⏎"))
    return text if value == UNKNOWN else f"“{short(text, _PROMPT_CHARS)}”"


def _unknown(value: float | None) -> bool:
    return value is None or isnan(value)
