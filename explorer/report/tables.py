"""The report's numbers as tidy tables: one row a fact, plain values, nothing rounded; None is not known.

They are what report.json holds and the .csv files are. Names and keys are as the study has them. Every table of results
names the verifier and the settings its numbers were made with, so that a file on its own says what it is. The rows are made in
facts.py, pair_facts.py and likelihood_facts.py.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import StringIO
from math import isnan
from typing import Final

import numpy as np

from engine.analyses.boundary import Standing
from engine.auditing import Chain
from engine.exporting import RUN_COLUMNS
from engine.health import PERCENTILES
from explorer.render.text import visible
from explorer.report import facts, likelihood_facts, pair_facts
from explorer.report.material import QUANTILES, Material
from explorer.report.wording import NO_XML

Value = str | int | float | bool | None

_LIMITS: Final = " ".join(
    f"{over}_{end}{all_}" for over in ("problems", "samples") for all_ in ("", "_all") for end in ("low", "high")
)
_PAIR: Final = "benchmark base other common_k problems verifier settings"
_LIKELY: Final = "benchmark base other"
_SIZES: Final = " ".join(
    f"{name} {name}_expected {name}_low {name}_high" for name in ("both", "base_only", "other_only", "neither")
)
_CROSSINGS: Final = " ".join(
    f"{name}_{what}" for name in ("crossover", "mirror") for what in ("verdict", "k", "low", "high", "probability")
)

_TABLES: Final[dict[str, tuple[str, Callable[[Material], Iterator[facts.Row]]]]] = {
    "provenance": ("study sha256 bytes schema basebound verifier", facts.provenance),
    "sources": ("name format sha256 bytes imported complete samples", facts.sources),
    "verifiers": ("verifier version verdicts", facts.verifiers),
    "batches": ("run sampler version device dtype started", facts.batches),
    "runs": (" ".join(RUN_COLUMNS) + " problems n_min n_max errors unjudged", facts.runs),
    "counts": (
        "benchmark run problem verifier n correct incorrect no_answer error unjudged samples truncated published",
        facts.counts,
    ),
    "health": (
        f"benchmark run verifier {' '.join(facts.HEALTH_COUNTS)} with_box looked_for_box length_in"
        f" {' '.join(f'length_p{at}' for at in PERCENTILES)} cut_at distinct effective_n part_only",
        facts.health,
    ),
    "pass_at_k": (f"benchmark run k pass_at_k {_LIMITS} problems n_min n_max verifier settings", facts.pass_at_k),
    "pairs": (
        f"{_PAIR} difference_1 low_1 high_1 p_1 q_1 difference_k low_k high_k p_k q_k gap gap_low gap_high"
        f" {_CROSSINGS} {_SIZES} base_only_clear other_only_clear mcnemar_p srr ndr sds nscr",
        pair_facts.pairs,
    ),
    "differences": (f"{_PAIR} k difference {_LIMITS}", pair_facts.differences),
    "sets": (
        f"{_PAIR} problem set base_n base_c other_n other_c p_value q_value clear base_low base_high other_low other_high"
        " standing cost_base cost_other",
        pair_facts.sets,
    ),
    "standings": (f"{_PAIR} budget {' '.join(Standing)}", pair_facts.standings),
    "accuracy": ("benchmark run accuracy problems n_min n_max verifier settings", facts.accuracy),
    "perplexity": (
        f"benchmark run scorer responses {' '.join(f'p{round(100 * at)}' for at in QUANTILES)} median_correct supported"
        f" part_only temperature dtype {' '.join(facts.PERPLEXITY_FACTS)} pooled_no_stop of_correct"
        f" {' '.join(f'median_{name} of_{name}' for name in facts.PERPLEXITY_PARTS)} used used_responses",
        facts.perplexity,
    ),
    "support": (
        f"{_LIKELY} scorer run temperature top_p top_k dtype {' '.join(likelihood_facts.SUPPORT)} verifier settings used",
        likelihood_facts.support,
    ),
    "percentiles": (f"{_LIKELY} mean low high problems responses own left_out verifier settings", likelihood_facts.percentiles),
    "recovery": (
        f"{_LIKELY} judged drawn problem c n low high drawn_c drawn_n floor distinct"
        f" {' '.join(f'is_{name}' for name in likelihood_facts.IMPORTANCE)} why verifier settings drawable",
        likelihood_facts.recovery,
    ),
    "partings": (
        f"{_LIKELY} side problem link truncated step steps fall share whole place tokens token own_logp other_logp choice"
        " choice_logp per_step verifier settings",
        likelihood_facts.partings,
    ),
    "audits": ("benchmark run problem link outcome auditor by_model label meaning step note chosen random", facts.audits),
    "protocol": (
        f"benchmark run problems {' '.join(chain.name.lower() for chain in Chain)} labelled right_answers stored",
        facts.protocol,
    ),
    "cot_pass_at_k": (
        f"benchmark run k {' '.join(facts.COT)} problems right read random exact bounds_only ambiguous labels",
        facts.cot_pass_at_k,
    ),
    "claims": (
        "benchmark claim sentence source base other statistic value unit low high p_value q_value p_of finding reason settings"
        " k problems",
        facts.claims,
    ),
}


@dataclass(frozen=True, slots=True)
class Table:
    """One kind of fact. Every row has these columns, in this order."""

    name: str
    """Of its file, and its key in report.json."""
    columns: tuple[str, ...]
    rows: tuple[dict[str, Value], ...]


def tables(material: Material) -> list[Table]:
    """All of them, those without rows too: a reader need not ask which there are."""
    return [_table(name, columns.split(), make(material)) for name, (columns, make) in _TABLES.items()]


def _table(name: str, columns: list[str], rows: Iterator[facts.Row]) -> Table:
    every = tuple({column: _plain(row[column]) for column in columns} for row in rows)
    return Table(name, tuple(columns), every)


def _plain(value: object) -> Value:
    """A value that JSON and CSV hold alike."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and isnan(value):
        return None
    if value is None or isinstance(value, bool | int | float):
        return value
    return str(value)


def as_json(every: list[Table]) -> str:
    """report.json: {"schema": 1, table: [row, ...], ...}; null is not known, keys are only ever added."""
    document: dict[str, object] = {"schema": 1}
    for table in every:
        document[table.name] = list(table.rows)
    return json.dumps(document, indent=1, allow_nan=False) + "\n"


def as_csv(table: Table) -> str:
    """One table with a header line; empty is not known.

    Text is often a stranger's, and these files are opened in spreadsheets. What hides or acts in it is spelled out, as in the
    other formats, line ends aside; and where text that is no number begins with =, +, - or @, which a spreadsheet would take
    for a formula, an apostrophe stands before it. Nothing else is changed: report.json has the names as the study has them.
    """
    file = StringIO(newline="")
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(table.columns)
    writer.writerows([_cell(row[column]) for column in table.columns] for row in table.rows)
    return file.getvalue()


def _cell(value: Value) -> Value:
    if isinstance(value, bool):
        return str(value).lower()
    return _text(value) if isinstance(value, str) else value


def _text(value: str) -> str:
    told = visible(value).translate(NO_XML)
    return f"'{told}" if told.startswith(("=", "+", "-", "@")) and not _is_number(told) else told


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
