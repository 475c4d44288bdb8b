"""What `basebound audit queue` prints, as a table or JSON."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from engine.analyses.turning import Conclusion
from engine.auditing.comparison import Comparison
from engine.auditing.labels import Labels
from engine.auditing.order import QueueItem
from engine.board import Board
from explorer.commands.audit_tables import whose, write_json
from explorer.commands.tables import UNKNOWN_MARK, table
from explorer.render.text import visible
from explorer.render.words import counted
from store.rows import RunRow


@dataclass(frozen=True, slots=True)
class Queued:
    board: Board
    labels: Labels
    by: str
    runs: Sequence[RunRow]
    items: Sequence[QueueItem]
    comparison: Comparison | None = None
    """None where the traces were chosen without one."""
    contested: Sequence[QueueItem] = ()
    """Read and not decided, where that decides a set."""


def show_queues(found: Sequence[Queued], limit: int, *, as_json: bool) -> None:
    if as_json:
        write_json({"schema": 1, "benchmarks": [_queue_document(one) for one in found]})
        return
    for one in found:
        sys.stdout.write(visible("\n".join(_standing(one))) + "\n")
        _show_items(one.items)
        if one.contested:
            sys.stdout.write("\nread and not decided; to be read again, or by another auditor:\n")
            _show_items(one.contested[:limit])
            if len(one.contested) > limit:
                sys.stdout.write(f"… {len(one.contested) - limit:,} more\n")


def _show_items(items: Sequence[QueueItem]) -> None:
    if items:
        sys.stdout.write(table(["trace", "why", "verdict", "priority", "suspicion"], [_item_cells(item) for item in items]))


def _standing(one: Queued) -> list[str]:
    head = f"{one.board.benchmark} · verifier {one.board.verifier}"
    nothing = "no traces of these runs are stored, only counts: there is nothing to read"
    stored = any(cell.samples for (run_id, _), cell in one.board.cells.items() if run_id in {run.run_id for run in one.runs})
    if one.comparison is None:
        chosen = f"{head} · by {one.by} · {one.labels.told}"
        lines = [chosen, *(f"run    {run.slug}" for run in one.runs)]
        return lines if one.items else [*lines, "nothing is left to read" if stored else nothing]
    comparison = one.comparison
    lines = [
        f"{head} · k {comparison.kept.k} · {comparison.labels.told}",
        f"base   {comparison.base.slug}",
        f"other  {comparison.other.slug}",
        _conclusion(comparison.kept.conclusion),
    ]
    if comparison.kept.conclusion != comparison.dropped.conclusion:
        lines[-1] = f"with undecided answers as judged: {lines[-1]}"
        lines.append(f"with undecided answers as unsound: {_conclusion(comparison.dropped.conclusion)}")
    clear = [one for one in comparison.clear.values() if one.clear]
    loose = sum(one.labels is not None for one in clear)
    lines.append(
        f"the models differ clearly on {len(clear)} of the {counted(len(comparison.clear), 'problem')} that one solves alone"
        f" (Fisher, q 0.05); labels could undo {loose}"
    )
    return [*lines, _settled(comparison, len(one.contested)) if stored else nothing]


def _conclusion(now: Conclusion) -> str:
    sizes = f"{now.base_only} base only, {now.other_only} other only"
    if now.p_value is None:
        return f"{sizes}; who solves more: {now.finding}, so there is no exact test of these sets"
    return f"{sizes}, McNemar exact p {now.p_value:.3g}: {now.finding}"


def _settled(comparison: Comparison, contested: int) -> str:
    """Whether labels could still change anything; "settled" only where both readings of the undecided agree."""
    if comparison.sets_settled:
        return "settled: no further label can move a problem from one set to another"
    still = len(comparison.open_problems)
    moves = f"labels could move {counted(still, 'problem')} between sets" if still else "no unread trace can move a problem"
    hang = counted(contested, "undecided or disputed trace")
    of = counted(len({place for place, _ in comparison.hanging}), "problem")
    sets = f"; {hang} {_decide(contested)} the sets of {of}" if contested else ""
    if comparison.settled is None:
        return f"{moves}{'; first those that take the fewest labels' if still else ''}{sets}"
    if comparison.settled:
        return f"the finding is settled: no labels can change it; {moves}{sets}"
    fewest = comparison.labels_to_change
    if fewest is not None:
        return f"{counted(fewest, 'label')} could change that finding; {moves}{sets}"
    return f"{hang} {_decide(contested)} the finding, which no unread trace can change; {moves}"


def _decide(number: int) -> str:
    return "decides" if number == 1 else "decide"


def _item_cells(item: QueueItem) -> list[str]:
    suspicion = UNKNOWN_MARK if item.suspicion is None else f"{item.suspicion:.2f}"
    priority = f"{item.priority:.2f}" if item.influence else UNKNOWN_MARK
    return [str(item.link), item.why, "right" if item.right else "wrong", priority, suspicion]


def _queue_document(one: Queued) -> dict[str, Any]:
    return {
        "benchmark": one.board.benchmark,
        "verifier": one.board.verifier,
        "by": one.by,
        "runs": [run.slug for run in one.runs],
        **whose(one.labels),
        **({} if one.comparison is None else _comparison_document(one.comparison)),
        "traces": [_item_document(item) for item in one.items],
        "undecided_traces": [_item_document(item) for item in one.contested],
    }


def _comparison_document(comparison: Comparison) -> dict[str, Any]:
    kept, dropped = comparison.kept.conclusion, comparison.dropped.conclusion
    return {
        "base": comparison.base.slug,
        "other": comparison.other.slug,
        "k": comparison.kept.k,
        "base_only": kept.base_only,
        "other_only": kept.other_only,
        "mcnemar_p": kept.p_value,
        "finding": kept.finding,
        "base_only_undecided_unsound": dropped.base_only,
        "other_only_undecided_unsound": dropped.other_only,
        "mcnemar_p_undecided_unsound": dropped.p_value,
        "finding_undecided_unsound": dropped.finding,
        "labels_to_change": comparison.labels_to_change,
        "settled": comparison.settled,
        "sets_settled": comparison.sets_settled,
        "open_problems": [comparison.problems[place].key for place in comparison.open_problems],
        "evidence": {
            comparison.problems[place].key: {"p_value": one.p_value, "clear": one.clear, "labels": one.labels}
            for place, one in comparison.clear.items()
        },
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
        "changes_finding": item.changes_finding if one else None,
        "undecided": item.undecided,
        "labels": one.labels if one else None,
        "before": one.before if one else None,
        "after": one.after if one else None,
        "p_after": one.conclusion.p_value if one else None,
    }
