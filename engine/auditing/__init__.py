"""Audits over a study: whose labels count, what they amount to, what to read next, labels in and out, a model as an auditor.

labels.py     labels in force, several auditors combined by a stated rule, as counts
chains.py     the paper's protocol, CoT-pass@k of runs
comparison.py where a comparison stands, and what labels could still make of it
order.py      the traces whose labels could still move it; random strata
doubts.py     wrong answers that there is reason to think right
concord.py    how far auditors agree
exchange.py   labels as JSONL and CSV
judge.py      a judge model as one more auditor; question.py: what it is asked; server.py: one request
"""

from engine.auditing.chains import Ambiguous, Chain, ProtocolRow, cot, protocol
from engine.auditing.comparison import Comparison, Undecided, outlook
from engine.auditing.labels import Labels, Rule, audited_run, read_labels
from engine.auditing.order import QueueItem, contested, queue, random_stratum

__all__ = [
    "Ambiguous",
    "Chain",
    "Comparison",
    "Labels",
    "ProtocolRow",
    "QueueItem",
    "Rule",
    "Undecided",
    "audited_run",
    "contested",
    "cot",
    "outlook",
    "protocol",
    "queue",
    "random_stratum",
    "read_labels",
]
