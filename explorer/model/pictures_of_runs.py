"""Pictures of several runs of a benchmark: along training steps, along temperatures, and all their curves. Call in a worker."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import TYPE_CHECKING, Final

from explorer.model import picture_facts as facts
from explorer.model.session import Pair
from explorer.render.plots.picture import MOST_SERIES, Picture, Series
from explorer.render.words import counted, role, short_names, span_of
from store.errors import NotFound
from store.names import number_text
from store.rows import RunRow

if TYPE_CHECKING:
    from engine.series import Entry
    from engine.series import Series as Found

_OVER: Final = "intervals 95 % over problems, which all runs here share"


def steps(pair: Pair) -> Picture:
    """pass@k at a common k along training steps, one line an algorithm, for the runs drawn as the baseline was."""
    known = {run.model.step for run in pair.board.runs if run.model.step is not None and pair.board.counts(run)}
    if len(known) < 2:
        what = "one training step only" if known else "no run with a training step"
        return Picture("steps", "training steps", notes=(f"{what} of {pair.board.benchmark}: nothing to put in order",))
    runs, notes = stepped(pair)
    return _series(pair, "steps", "step", runs, step_word, step_size, step_line, notes)


def stepped(pair: Pair) -> tuple[list[RunRow], tuple[str, ...]]:
    """The runs to put along training steps, and the sentence on those left out: drawn otherwise than the baseline."""
    like = [run for run in pair.board.runs if _drawn(run) == _drawn(pair.base)]
    runs = like if len({run.model.step for run in like} - {None}) > 1 else list(pair.board.runs)
    others = len(pair.board.runs) - len(runs)
    notes = (f"{counted(others, 'run')} drawn otherwise {'is' if others == 1 else 'are'} left out",) if others else ()
    return runs, notes


def temperatures(pair: Pair) -> Picture:
    """pass@k at a common k along temperatures, one line a model."""
    runs = [run for run in pair.board.runs if isinstance(run.settings.temperature, int | float)]
    known = {run.settings.temperature for run in runs if pair.board.counts(run)}
    if len(known) < 2:
        what = f"all runs of {pair.board.benchmark} were drawn at one temperature" if known else "no temperature is known here"
        return Picture("temperatures", "temperatures", notes=(f"{what}: nothing to put in order",))
    return _series(pair, "temperatures", "temperature", runs, _heat_word, _heat, _heat_line, ())


def all_runs(pair: Pair) -> Picture:
    """pass@k of every run, each over the problems it was judged on."""
    from engine.analyses.passk import k_grid
    from explorer.model.pictures_of_pairs import run_curve

    judged = [run for run in pair.runs_first() if pair.board.counts(run)]
    shown = judged[:MOST_SERIES]
    title = f"pass@k of all runs on {pair.board.benchmark}"
    if not shown:
        return Picture("runs", title, notes=("nothing was judged: `basebound verify` makes verdicts",))
    counts = [pair.board.counts(run) for run in shown]
    ks = tuple(sorted({k for of_run in counts for k in k_grid(min(count.n for count in of_run))}))
    names = short_names(pair.board.runs)
    series = tuple(run_curve(names[run.run_id], run.slug, of_run, ks) for run, of_run in zip(shown, counts, strict=True))
    problems, n = span_of(map(len, counts)), span_of(count.n for of_run in counts for count in of_run)
    return Picture(
        "runs", title, places=tuple(map(str, ks)), series=series, limits=facts.percent_limits(series),
        facts=(f"{pair.board.benchmark} · {problems} problems · n {n} · verdicts by {pair.board.verifier}", *ways(shown),
               "each run over its own judged problems, intervals 95 % over problems"),
        notes=left_out(len(judged)),
    )  # fmt: skip


def _series(
    pair: Pair,
    kind: str,
    axis: str,
    runs: Sequence[RunRow],
    word: Callable[[RunRow], str],
    size: Callable[[RunRow], float],
    line: Callable[[RunRow], tuple[Hashable, str]],
    notes: tuple[str, ...],
) -> Picture:
    from engine.series import By, series

    try:
        found = series(pair.board, By.STEP if kind == "steps" else By.TEMPERATURE, runs=list(runs))
    except NotFound as error:
        return Picture(kind, kind, axis=axis, notes=(str(error),))
    ordered = sorted({(size(entry.runs[0]), word(entry.runs[0])) for entry in found.entries})
    places = tuple(text for _, text in ordered)
    lines = _lines(pair, found.entries, line)
    drawn = tuple(_line(name, entries, places, word) for name, entries in lines)[:MOST_SERIES]
    return Picture(
        kind, f"pass@{found.k:,} along {axis}s", axis=axis, places=places, series=drawn,
        limits=facts.percent_limits(drawn), notes=(*notes, *left_out(len(lines)), *_seeds(found)),
        facts=(f"{found.benchmark} · {counted(found.problems, 'problem')} · k {found.k:,} of at most {found.common_k:,}"
               f" · verdicts by {found.verifier}", *ways([run for entry in found.entries for run in entry.runs]), _OVER),
    )  # fmt: skip


def _lines(
    pair: Pair, entries: Sequence[Entry], line: Callable[[RunRow], tuple[Hashable, str]]
) -> list[tuple[str, list[Entry]]]:
    """Entries that make one line, by its name: the baseline's first, then the other's."""
    groups: dict[Hashable, tuple[str, list[Entry]]] = {}
    own = [run.run_id for run in pair.runs]
    for entry in sorted(
        entries, key=lambda one: min((own.index(run.run_id) for run in one.runs if run.run_id in own), default=9)
    ):
        key, name = line(entry.runs[0])
        groups.setdefault(key, (name, []))[1].append(entry)
    return list(groups.values())


def _line(name: str, entries: Sequence[Entry], places: Sequence[str], word: Callable[[RunRow], str]) -> Series:
    by_place = {word(entry.runs[0]): entry for entry in entries}
    found = [by_place.get(place) for place in places]
    values = facts.percents(None if one is None else one.value for one in found)
    low = facts.percents(None if one is None else one.interval.low for one in found)
    high = facts.percents(None if one is None else one.interval.high for one in found)
    return Series(name, ", ".join(run.slug for entry in entries for run in entry.runs), values, low, high)


def _seeds(found: Found) -> tuple[str, ...]:
    alone = sum(entry.spread is None and entry.note != "" for entry in found.entries)
    return (
        (f"{counted(alone, 'point is', 'points are')} of one training seed: how much training varies is not seen",)
        if alone
        else ()
    )


def left_out(number: int) -> tuple[str, ...]:
    more = number - MOST_SERIES
    return (f"{counted(more, 'line')} more than fit here: `basebound series` has all",) if more > 0 else ()


def ways(runs: Sequence[RunRow]) -> tuple[str, ...]:
    """How the runs were drawn: all there is to say of one way, of several what most often differs."""
    told = tuple(dict.fromkeys(facts.setting_text(run) for run in runs))
    if len(told) == 1:
        return told
    each = dict.fromkeys((number_text(run.settings.temperature), number_text(run.settings.top_p)) for run in runs)
    return (f"drawn in {len(told)} ways: " + ", ".join(f"T {heat} top-p {top_p}" for heat, top_p in each),)


def _drawn(run: RunRow) -> tuple[object, ...]:
    return run.settings.temperature, run.settings.top_p, run.settings.top_k


def step_word(run: RunRow) -> str:
    return role(run) if run.model.step is None else f"{run.model.step:,}"


def step_size(run: RunRow) -> float:
    return -1.0 if run.model.step is None else float(run.model.step)


def step_line(run: RunRow) -> tuple[Hashable, str]:
    model = run.model
    name = model.name.rpartition("/")[2]
    return (model.role, model.algorithm, name, _drawn(run)), model.algorithm or name


def _heat_word(run: RunRow) -> str:
    return number_text(run.settings.temperature)


def _heat(run: RunRow) -> float:
    return float(run.settings.temperature)


def _heat_line(run: RunRow) -> tuple[Hashable, str]:
    model = run.model
    name = model.name.rpartition("/")[2]
    return (model.name, model.revision, model.step), name if model.step is None else f"{name} {model.step}"
