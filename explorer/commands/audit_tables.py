"""What `basebound audit` prints of labels, agreement and the protocol, as tables or JSON; of the queue: audit_queue.py."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from math import isnan
from typing import Any

from engine.analyses.agreement import Alpha, Kappa
from engine.analyses.cot import Partial
from engine.auditing.chains import Ambiguous, Chain, Cot, ProtocolRow, cot
from engine.auditing.concord import Concord, Pair
from engine.auditing.labels import Labels, audited_run
from engine.board import Board
from explorer.commands.tables import UNKNOWN_MARK, percent, table
from explorer.render.text import visible
from explorer.render.words import counted
from store.audits import is_model
from store.reader import Study


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


def write_json(document: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(document, indent=1) + "\n")


def _known(value: float) -> float | None:
    return None if isnan(value) else float(value)


# -- agreement ----------------------------------------------------------------------------------------------------------


def show_concord(found: Sequence[tuple[str, Concord]], *, as_json: bool) -> None:
    if as_json:
        write_json({"schema": 1, "benchmarks": [{"benchmark": name, **_concord_document(one)} for name, one in found]})
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
            samples = f"{counted(one.people.samples, 'trace')} read by two or more people"
            sys.stdout.write(f"Krippendorff's alpha {alpha[0]}  95 % {alpha[1]} {alpha[2]}  on {samples}\n")


def _pair_cells(pair: Pair) -> list[str]:
    alike = percent(pair.meanings.agreed / pair.meanings.samples if pair.meanings.samples else None)
    by_label = [UNKNOWN_MARK] * 3 if pair.labels is None else _kappa_cells(pair.labels)
    return [pair.one, pair.other, f"{pair.meanings.samples:,}", alike, *_kappa_cells(pair.meanings), *by_label]


def _kappa_cells(kappa: Kappa) -> list[str]:
    return _numbers(kappa.kappa, kappa.low, kappa.high)


def _numbers(*values: float) -> list[str]:
    return [UNKNOWN_MARK if isnan(value) else f"{round(value, 2) + 0.0:.2f}" for value in values]


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
        write_json({"schema": 1, "below": below, "benchmarks": [_protocol_document(one) for one in found]})
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
            sys.stdout.write(visible("".join(f"{line}\n" for line in _without_estimate(one.cots))))


def _without_estimate(cots: Sequence[tuple[Cot, Cot]]) -> list[str]:
    """A line for each run that has bounds and no estimate, and why."""
    told = [f"{of.run.slug}: bounds only, since {of.bounds_only}" for pair in cots for of in pair if of.bounds_only]
    return list(dict.fromkeys(told))


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
        **whose(one.labels),
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


def whose(labels: Labels) -> dict[str, Any]:
    return {"auditors": list(labels.auditors), "rule": labels.rule, "disputed": labels.disagreed}


def _cot_document(one: Cot) -> dict[str, Any]:
    curve = {name: [_known(value) for value in getattr(one.curve, name)] for name in ("mean", "low", "high")}
    bounds = {name: [_known(value) for value in getattr(one.curve, name)] for name in ("low_bound", "high_bound")}
    shares = {"low": _known(one.low_share.pooled), "high": _known(one.high_share.pooled)}
    counts: dict[str, Any] = {"problems": one.problems, "right": one.right, "read": one.read, "random": one.random}
    counts |= {"bounds_only": one.bounds_only}
    return {"run": one.run.slug, "undecided": one.ambiguous, "k": list(one.ks), **curve, **bounds, "sound": shares, **counts}
