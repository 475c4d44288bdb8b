"""What the report says of audits: CoT-pass@k, the paper's protocol, agreement."""

from __future__ import annotations

from collections.abc import Iterator

from engine.auditing import Chain
from engine.auditing.chains import Cot
from explorer.report.document import Block, Grid, Prose
from explorer.report.material import AuditPart, BenchmarkPart
from explorer.report.wording import LEVEL_WORDS, between, in_file, percent, ratio, settings, whole


def blocks(part: BenchmarkPart, found: AuditPart) -> Iterator[Block]:
    yield Prose(
        f"Numbers are by {found.told}. A judge model's labels are in the agreement only, and listed: {in_file('audits')}."
    )
    made = settings([one.run for one in found.chains] or list(part.board.runs), part.board.verifier)
    if found.chains:
        yield _chains(found, made)
    if found.protocol:
        yield _protocol(found, made)
    if found.concord.pairs:
        yield _agreement(found)


def _chains(found: AuditPart, made: str) -> Block:
    header = ["run", "k", "problems", "right answers read", "at random", "CoT-pass@k", LEVEL_WORDS, "bounds"]
    rows = [_chain(one, at) for one in found.chains for at in dict.fromkeys((0, len(one.ks) - 1))]
    without = [f"{one.run.name}: bounds only, since {one.bounds_only}. " for one in found.chains if one.bounds_only]
    note = (
        "pass@k where a right answer counts only by a sound chain, in %. The estimate is from traces drawn at random; the"
        " bounds take everything unread as unsound, or as sound. What could not be decided counts as not read. All k:"
        f" {in_file('cot_pass_at_k')}. {''.join(without)}{made}"
    )
    return Grid("CoT-pass@k", header, rows, note)


def _chain(one: Cot, at: int) -> list[str]:
    curve = one.curve
    return [
        one.run.name,
        f"{one.ks[at]:,}",
        whole(one.problems),
        f"{one.read:,} of {one.right:,}",
        f"{one.random:,}",
        percent(float(curve.mean[at])),
        between(float(curve.low[at]), float(curve.high[at])),
        between(float(curve.low_bound[at]), float(curve.high_bound[at])),
    ]


def _protocol(found: AuditPart, made: str) -> Block:
    header = ["run", "problems", *(chain.value for chain in Chain), "labelled", "right answers"]
    rows = [
        [
            one.run.name, whole(len(one.chains)), *(whole(one.count(chain)) for chain in Chain), whole(one.audited),
            whole(one.to_audit),
        ]
        for one in found.protocol
    ]  # fmt: skip
    note = f"Problems with an accuracy above 0 and below 5 %, by what is known of their right answers' chains. {made}"
    return Grid("The paper's protocol", header, rows, note)


def _agreement(found: AuditPart) -> Block:
    rows = [[one.one, one.other, whole(one.meanings.samples), ratio(one.meanings.kappa)] for one in found.concord.pairs]
    note = "Cohen's kappa on what the labels mean, over the traces both labelled."
    return Grid("Agreement", ["auditor", "auditor", "traces", "kappa"], rows, note, left=2)
