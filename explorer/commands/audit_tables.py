"""What `basebound audit` prints, as tables or JSON."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from math import isnan
from typing import Any

from engine.analyses.agreement import Alpha, Kappa
from engine.analyses.cot import Partial
from engine.analyses.turning import Conclusion
from engine.auditing.chains import Ambiguous, Chain, Cot, ProtocolRow, cot
from engine.auditing.concord import Concord, Pair
from engine.auditing.labels import Labels, audited_run
from engine.auditing.order import Comparison, QueueItem
from engine.board import Board
from explorer.commands.tables import UNKNOWN_MARK, percent, table
from explorer.render.text import visible
from store.audits import is_model
from store.reader import Study


@dataclass(frozen=True, slots=True)
class Queued:
    board: Board
    comparison: Comparison
    items: Sequence[QueueItem]


@dataclass(frozen=True, slots=True)
class Protocolled:
    benchmark: str
    verifier: str
    labels: Labels
    rows: Sequence[ProtocolRow]
    cots: Sequence[tuple[Cot, Cot]]
    """Of each run, undecided answers as unsound, and as sound."""


def cots(study: Study, board: Board, labels: Labels) -> list[tuple[Cot, Cot]]:
    """CoT-pass@k of every run with labels, at k = 1 and at its smallest n."""
    found = []
    for run in board.runs:
        audited = audited_run(study, board, run, labels)
        if any(side.sound + side.unsound + side.undecided for side in audited.sides):
            ks = sorted({1, min(side.n for side in audited.sides)})
            found.append((cot(audited, ks, Ambiguous.UNSOUND), cot(audited, ks, Ambiguous.SOUND)))
    return found


def _write_json(document: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(document, indent=1) + "\n")


def _known(value: float) -> float | None:
    return None if isnan(value) else float(value)


# -- agreement ----------------------------------------------------------------------------------------------------------


def show_concord(found: Sequence[tuple[str, Concord]], *, as_json: bool) -> None:
    if as_json:
        _write_json({"schema": 1, "benchmarks": [{"benchmark": name, **_concord_document(one)} for name, one in found]})
        return
    for name, one in found:
        who = ", ".join(f"{auditor} {traces:,}" for auditor, traces in one.labelled.items()) or "nobody"
        sys.stdout.write(visible(f"{name} · traces labelled by {who}") + "\n")
        if one.pairs:
            header = ["auditor", "auditor", "traces", "alike %", "kappa", "95 %", "", "of the labels", "95 %", ""]
            sys.stdout.write(table(header, [_pair_cells(pair) for pair in one.pairs]))
            sys.stdout.write(f"kappa: sound, unsound, undecided, verdict corrected · people together: {one.rule}\n")
        if one.people is not None:
            alpha = _numbers(one.people.alpha, one.people.low, one.people.high)
            samples = f"{one.people.samples:,} traces read by two or more people"
            sys.stdout.write(f"Krippendorff's alpha {alpha[0]}  95 % {alpha[1]} {alpha[2]}  on {samples}\n")


def _pair_cells(pair: Pair) -> list[str]:
    alike = percent(pair.meanings.agreed / pair.meanings.samples if pair.meanings.samples else None)
    by_label = [UNKNOWN_MARK] * 3 if pair.labels is None else _kappa_cells(pair.labels)
    return [pair.one, pair.other, f"{pair.meanings.samples:,}", alike, *_kappa_cells(pair.meanings), *by_label]


def _kappa_cells(kappa: Kappa) -> list[str]:
    return _numbers(kappa.kappa, kappa.low, kappa.high)


def _numbers(*values: float) -> list[str]:
    return [UNKNOWN_MARK if isnan(value) else f"{value:.2f}" for value in values]


def _concord_document(one: Concord) -> dict[str, Any]:
    return {
        "auditors": [{"auditor": name, "model": is_model(name), "traces": traces} for name, traces in one.labelled.items()],
        "rule": one.rule,
        "pairs": [
            {
                "auditors": [pair.one, pair.other],
                "meanings": _kappa_document(pair.meanings),
                "labels": None if pair.labels is None else _kappa_document(pair.labels),
            }
            for pair in one.pairs
        ],
        "people_alpha": None if one.people is None else _alpha_document(one.people),
    }


def _kappa_document(one: Kappa) -> dict[str, Any]:
    interval = {"kappa": _known(one.kappa), "low": _known(one.low), "high": _known(one.high)}
    return {"traces": one.samples, "agreed": one.agreed, **interval}


def _alpha_document(one: Alpha) -> dict[str, Any]:
    return {"traces": one.samples, "alpha": _known(one.alpha), "low": _known(one.low), "high": _known(one.high)}


# -- the protocol -------------------------------------------------------------------------------------------------------


def show_protocol(found: Sequence[Protocolled], below: float, *, as_json: bool) -> None:
    if as_json:
        _write_json({"schema": 1, "below": below, "benchmarks": [_protocol_document(one) for one in found]})
        return
    for one in found:
        told = f"problems solved in less than {100 * below:g} % of their samples"
        sys.stdout.write(visible(f"{one.benchmark} · verifier {one.verifier} · {told} · {one.labels.told}") + "\n")
        header = ["run", "", "with a valid chain", "ambiguous in", "none valid", "ambiguous", "not decided", "read", "stored"]
        sys.stdout.write(table(header, [_protocol_cells(row) for row in one.rows]))
        if one.cots:
            header = [
                "run",
                "undecided",
                "right",
                "read",
                "at random",
                "sound % of right",
                "k",
                "CoT-pass@k %",
                "95 %",
                "bounds",
            ]
            sys.stdout.write("\n" + table(header, [cells for pair in one.cots for of in pair for cells in _cot_cells(of)]))


def _protocol_cells(row: ProtocolRow) -> list[str]:
    counts = [str(row.count(chain)) for chain in (Chain.NONE, Chain.AMBIGUOUS, Chain.OPEN)]
    shares = [f"{valid}/{of}" for valid, of in (row.left_out, row.kept_in)]
    return [row.run.slug, "", *shares, *counts, f"{row.audited:,} of {row.to_audit:,}", f"{row.stored:,}"]


def _cot_cells(one: Cot) -> list[list[str]]:
    shares = _range(one.low_share.pooled, one.high_share.pooled)
    same = [one.run.slug, str(one.ambiguous), f"{one.right:,}", f"{one.read:,}", f"{one.random:,}", shares]
    return [[*same, str(k), *_partial_cells(one.curve, at)] for at, k in enumerate(one.ks)]


def _partial_cells(curve: Partial, at: int) -> list[str]:
    mean = float(curve.mean[at])
    known = percent(None if isnan(mean) else mean)
    return [known, _range(curve.low[at], curve.high[at]), _range(curve.low_bound[at], curve.high_bound[at])]


def _range(low: float, high: float) -> str:
    return UNKNOWN_MARK if isnan(low) else f"{100 * low:.1f} to {100 * high:.1f}"


def _protocol_document(one: Protocolled) -> dict[str, Any]:
    return {
        "benchmark": one.benchmark,
        "verifier": one.verifier,
        **_whose(one.labels),
        "runs": [
            {
                "run": row.run.slug,
                "problems": {key: str(chain) for key, chain in row.chains.items()},
                "valid": row.count(Chain.VALID),
                "of_ambiguous_left_out": row.left_out[1],
                "of_ambiguous_in": row.kept_in[1],
                "complete": row.complete,
                "audited": row.audited,
                "to_audit": row.to_audit,
                "stored": row.stored,
            }
            for row in one.rows
        ],
        "cot": [_cot_document(of) for pair in one.cots for of in pair],
    }


def _whose(labels: Labels) -> dict[str, Any]:
    return {"auditors": list(labels.auditors), "rule": labels.rule, "disputed": labels.disagreed}


def _cot_document(one: Cot) -> dict[str, Any]:
    curve = {name: [_known(value) for value in getattr(one.curve, name)] for name in ("mean", "low", "high")}
    bounds = {name: [_known(value) for value in getattr(one.curve, name)] for name in ("low_bound", "high_bound")}
    shares = {"low": _known(one.low_share.pooled), "high": _known(one.high_share.pooled)}
    counts = {"problems": one.problems, "right": one.right, "read": one.read, "random": one.random}
    return {"run": one.run.slug, "undecided": one.ambiguous, "k": list(one.ks), **curve, **bounds, "sound": shares, **counts}


# -- the queue ----------------------------------------------------------------------------------------------------------


def show_queues(found: Sequence[Queued], *, as_json: bool) -> None:
    if as_json:
        _write_json({"schema": 1, "benchmarks": [_queue_document(one) for one in found]})
        return
    for one in found:
        sys.stdout.write(visible("\n".join(_standing(one))) + "\n")
        if one.items:
            header = ["trace", "why", "verdict", "priority", "suspicion"]
            sys.stdout.write(table(header, [_item_cells(item) for item in one.items]))


def _standing(one: Queued) -> list[str]:
    comparison = one.comparison
    stored = sum(one.board.cells[place].samples for place in one.board.cells if place[0] in _runs(comparison))
    lines = [
        f"{one.board.benchmark} · verifier {one.board.verifier} · k {comparison.kept.k} · {comparison.labels.told}",
        f"base   {comparison.base.slug}",
        f"other  {comparison.other.slug}",
        _conclusion(comparison.kept.conclusion),
    ]
    if comparison.kept.conclusion != comparison.dropped.conclusion:
        lines.append(f"with undecided answers as unsound: {_conclusion(comparison.dropped.conclusion)}")
    clear = [one for one in comparison.clear.values() if one.clear]
    loose = sum(one.labels is not None for one in clear)
    lines.append(
        f"the models differ clearly on {len(clear)} of the {len(comparison.clear)} problems that one solves alone (Fisher,"
        f" q 0.05); labels could undo {loose}"
    )
    nothing = "no traces of these runs are stored, only counts: there is nothing to read"
    return [*lines, _settled(comparison) if stored else nothing]


def _runs(comparison: Comparison) -> tuple[int, int]:
    return comparison.base.run_id, comparison.other.run_id


def _conclusion(now: Conclusion) -> str:
    sizes = f"{now.base_only} base only, {now.other_only} other only"
    if now.p_value is None:
        return f"{sizes}; who solves more: {now.finding}, so there is no exact test of these sets"
    return f"{sizes}, McNemar exact p {now.p_value:.3g}: {now.finding}"


def _settled(comparison: Comparison) -> str:
    if comparison.kept.sets_settled and comparison.dropped.sets_settled:
        return "settled: no further label can move a problem from one set to another"
    still = len(comparison.kept.open_problems)
    if comparison.settled is None:
        return f"labels could move {still} problems between sets; first those that take the fewest labels"
    if comparison.settled:
        return f"the finding is settled: no labels can change it; they could still move {still} problems between sets"
    fewest = comparison.kept.labels_to_change
    turn = "no labels change that finding" if fewest is None else f"{fewest} labels could change that finding"
    return f"{turn}; labels could move {still} problems between sets"


def _item_cells(item: QueueItem) -> list[str]:
    suspicion = UNKNOWN_MARK if item.suspicion is None else f"{item.suspicion:.2f}"
    priority = f"{item.priority:.2f}" if item.influence else UNKNOWN_MARK
    return [str(item.link), item.why, "right" if item.right else "wrong", priority, suspicion]


def _queue_document(one: Queued) -> dict[str, Any]:
    comparison = one.comparison
    return {
        "benchmark": one.board.benchmark,
        "verifier": one.board.verifier,
        "base": comparison.base.slug,
        "other": comparison.other.slug,
        "k": comparison.kept.k,
        **_whose(comparison.labels),
        "base_only": comparison.kept.conclusion.base_only,
        "other_only": comparison.kept.conclusion.other_only,
        "mcnemar_p": comparison.kept.conclusion.p_value,
        "finding": comparison.kept.conclusion.finding,
        "mcnemar_p_undecided_unsound": comparison.dropped.conclusion.p_value,
        "finding_undecided_unsound": comparison.dropped.conclusion.finding,
        "labels_to_change": comparison.kept.labels_to_change,
        "settled": comparison.settled,
        "open_problems": [comparison.problems[place].key for place in comparison.kept.open_problems],
        "evidence": {
            comparison.problems[place].key: {"p_value": one.p_value, "clear": one.clear, "labels": one.labels}
            for place, one in comparison.clear.items()
        },
        "traces": [_item_document(item) for item in one.items],
    }


def _item_document(item: QueueItem) -> dict[str, Any]:
    one = item.influence
    return {
        "trace": str(item.link),
        "right": item.right,
        "chosen": item.chosen,
        "why": item.why,
        "priority": item.priority if one else None,
        "suspicion": item.suspicion,
        "labels": one.labels if one else None,
        "before": one.before if one else None,
        "after": one.after if one else None,
        "p_after": one.conclusion.p_value if one else None,
    }
