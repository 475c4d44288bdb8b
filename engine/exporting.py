"""Samples as other programs take them: a Parquet table with a column for every fact, or our own JSONL, which can be imported
again.

Both are written a part at a time, so that memory does not grow with the study. What the columns mean:

- `outcome` is the deciding verifier's (or the one asked for), `correct` says it as true or false; both are null where nobody
  has judged the sample, and `correct` where the verifier failed. `imported` is what the sample's own file says.
- `extra` marks samples beyond the run's n, drawn of problems that a plan chose: leave them out of pass@k and of every other
  rate over problems.
- `label` is the newest audit label in force, a person's before a judge model's; `auditor` is who gave it.
- A numeric setting that nobody recorded is null; textual ones are the word "unknown".
- `ppl_M` is the response's perplexity under model M at temperature 1, `logp_M` the nats of the whole response there, of which
  `stop_logp_M` are the stop token's, and `lowest_M` those of its least probable token; `entropy_M` is the entropy before each
  of its tokens there, summed. `outside_M` is how many of its tokens M
  could never draw at the run's own decoding, `edge_M` the largest, over the tokens, of (mass of the tokens more probable than
  it) - top_p there: below 0 every token lies in M's nucleus; both are null for a run that was drawn at temperature 1 and
  top-p 1. Where `retokenized_M` is true the tokens need not be those generated. `dtype_M` and
  `engine_M` say how all this was computed, with a comma between where the two decodings were computed in different ways.
- With --tokens, of responses that M has gone through token by token, lists with an entry for each token: `token_texts_M` is
  what it brings to the response ("" for a stop token, and for a part of a character that a later token completes),
  `token_logp_M` its nats and `token_entropy_M` the entropy before it, at temperature 1; `token_decoded_M` its nats and
  `token_edge_M` the edge, as above, at the run's own decoding. All are null where M did not tell. They are kept in a short form
  (store/token_scores.py says how precisely); sums are exact.
- Lone surrogates in a response become U+FFFD in Parquet, which holds none; JSONL keeps them.

In JSONL `correct` is the deciding verdict: no answer is false, an error or a missing verdict is not there. Read again, it is
the file's own score, beside what our verifier then says. Indices, labels and likelihoods are no part of that format; --tokens
adds `token_scores` to a line, by model {"texts", "logp", "entropy", "decoded", "edge", "dtype", "engine"}, which an import
passes over: the lists above, where null among `decoded` is a token that can never be drawn, and how they were computed.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import accumulate, pairwise
from math import inf
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import IO, TYPE_CHECKING, Any, Final

from engine.importers.fields import printable
from store import exporting
from store.errors import BaseboundError
from store.exporting import SampleRow, Scorer
from store.reader import Study
from store.rows import RunRow
from store.token_scores import TokenScores
from store.types import NUMERIC_SETTINGS, PER_SOURCE, SETTING_NAMES, UNKNOWN, Finish, Number, Outcome

if TYPE_CHECKING:
    from pyarrow import RecordBatch, Schema

GROUP_ROWS: Final = 50_000
GROUP_BYTES: Final = 64 << 20
"""A row group is written once it holds that much, or GROUP_ROWS rows."""
DETAILED_ROWS: Final = 16
"""Rows made at a time where they have lists of tokens: a response may have 60,000."""

_MODEL: Final = ("name", "revision", "role", "parent", "algorithm", "step", "training_seed")
_TEXT, _WHOLE, _REAL, _FLAG = "string", "int64", "float64", "bool"
_TEXTS, _REALS = "list of string", "list of float32"

RUN_COLUMNS: Final = {
    "run": _TEXT, "run_key": _TEXT, "benchmark": _TEXT,
    "model": _TEXT, "revision": _TEXT, "role": _TEXT, "parent": _TEXT, "algorithm": _TEXT, "step": _WHOLE,
    "training_seed": _WHOLE,
    **{name: _REAL if name in NUMERIC_SETTINGS else _TEXT for name in SETTING_NAMES if name != "seed"}, "run_seed": _TEXT,
}  # fmt: skip
"""Column and type of what a row says of its run."""

SAMPLE_COLUMNS: Final = {
    "problem": _TEXT, "level": _TEXT, "kind": _TEXT, "reference": _TEXT, "index": _WHOLE, "extra": _FLAG,
    "outcome": _TEXT, "correct": _FLAG, "verifier": _TEXT, "verifier_version": _TEXT, "route": _TEXT, "answer": _TEXT,
    "imported": _TEXT, "label": _WHOLE, "auditor": _TEXT,
    "finish": _TEXT, "stop_reason": _TEXT, "tokens": _WHOLE, "chars": _WHOLE, "seed": _WHOLE,
    "source": _TEXT, "source_line": _WHOLE,
}  # fmt: skip
"""Column and type of what a row says of its sample."""

TEXT_COLUMNS: Final = {"statement": _TEXT, "response": _TEXT}

_SCORE_COLUMNS: Final = {
    "ppl": _REAL, "outside": _WHOLE, "logp": _REAL, "stop_logp": _REAL, "lowest": _REAL, "edge": _REAL, "retokenized": _FLAG,
    "entropy": _REAL, "dtype": _TEXT, "engine": _TEXT,
}  # fmt: skip
_TOKEN_COLUMNS: Final = {"texts": _TEXTS, "logp": _REALS, "entropy": _REALS, "decoded": _REALS, "edge": _REALS}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is exported."""

    runs: Sequence[RunRow]
    verifier: str | None = None
    """Whose verdicts; None for the deciding ones."""
    texts: bool = False
    tokens: bool = False
    """Token by token, too, where a model has gone through a response so."""


def columns(scorers: Sequence[Scorer], wanted: Wanted) -> dict[str, str]:
    """Every column of the table with its type."""
    texts = TEXT_COLUMNS if wanted.texts else {}
    return RUN_COLUMNS | SAMPLE_COLUMNS | score_columns(scorers) | texts | (token_columns(scorers) if wanted.tokens else {})


def score_columns(scorers: Sequence[Scorer]) -> dict[str, str]:
    """Columns and types of what models think of a sample: one name after the other, each for every model."""
    return {f"{name}_{one.name}": kind for name, kind in _SCORE_COLUMNS.items() for one in scorers}


def token_columns(scorers: Sequence[Scorer]) -> dict[str, str]:
    """The same for what they think of its tokens."""
    return {f"token_{name}_{one.name}": kind for name, kind in _TOKEN_COLUMNS.items() for one in scorers}


def run_facts(run: RunRow) -> dict[str, object]:
    """What every row says of its run, by RUN_COLUMNS."""
    model = {("model" if name == "name" else name): getattr(run.model, name) for name in _MODEL}
    settings = {name: _setting(name, getattr(run.settings, name)) for name in SETTING_NAMES if name != "seed"}
    facts = {"run": run.slug, "run_key": run.key, "benchmark": run.benchmark} | model | settings
    return facts | {"role": run.model.role.value, "run_seed": str(run.settings.seed)}


def sample_facts(row: SampleRow, scorers: Sequence[Scorer] = ()) -> dict[str, object]:
    """What a row says of its sample, by SAMPLE_COLUMNS and the scorers' columns."""
    facts: dict[str, object] = {
        "problem": row.problem.key,
        "level": row.problem.level,
        "kind": row.problem.kind,
        "reference": row.problem.reference,
        "index": row.index,
        "extra": row.extra,
        "outcome": None if row.outcome is None else row.outcome.value,
        "correct": is_correct(row.outcome),
        "verifier": row.verifier,
        "verifier_version": row.version,
        "route": row.route,
        "answer": row.answer,
        "imported": None if row.imported is None else row.imported.value,
        "label": row.label,
        "auditor": row.auditor,
        "finish": row.finish.value,
        "stop_reason": row.stop_reason,
        "tokens": row.tokens,
        "chars": row.chars,
        "seed": row.seed,
        "source": None if row.source is None else source_name(row.source),
        "source_line": row.line,
    }
    for one in scorers:
        score = row.scores.get(one.model_id)
        for name in _SCORE_COLUMNS:
            facts[f"{name}_{one.name}"] = score and getattr(score, "perplexity" if name == "ppl" else name)
    return facts


def token_lists(response: str, scores: TokenScores) -> dict[str, list[Any] | None]:
    """A response token by token under one model, by _TOKEN_COLUMNS."""
    numbers = {name: getattr(scores, name) for name in _TOKEN_COLUMNS if name != "texts"}
    lists: dict[str, list[Any] | None] = {"texts": _pieces(response, scores)}
    return lists | {name: None if of is None else list(of) for name, of in numbers.items()}


def _pieces(response: str, scores: TokenScores) -> list[str] | None:
    if scores.spans is None:
        return None
    return [response[start:end] for start, end in pairwise(accumulate(scores.spans, initial=0))]


def is_correct(outcome: Outcome | None) -> bool | None:
    """True, False, or None where nobody can say: not judged, or the verifier failed."""
    return None if outcome in (None, Outcome.ERROR) else outcome is Outcome.CORRECT


def source_name(path: str) -> str:
    """A source as it may be told to others: the last part of an absolute path, which would name somebody's machine."""
    for kind in (PurePosixPath(path), PureWindowsPath(path)):
        if kind.is_absolute():
            return kind.name
    return path


def rows(study: Study, wanted: Wanted) -> Iterator[tuple[RunRow, list[SampleRow]]]:
    """Every sample wanted, in batches of one run."""
    for run in wanted.runs:
        for batch in exporting.samples(study, run, wanted.verifier, texts=wanted.texts or wanted.tokens):
            yield run, batch


def write_parquet(study: Study, wanted: Wanted, path: Path, version: str) -> Iterator[int]:
    """Write the table; yields how many rows were read, now and then. version: of basebound, kept in the file's metadata.

    Raises BaseboundError where pyarrow is not installed.
    """
    pyarrow = _pyarrow()
    from pyarrow.parquet import ParquetWriter

    scorers = exporting.scorers(study)
    schema = _schema(columns(scorers, wanted), wanted, version)
    dictionaries = [name for name in schema.names if name != "response" and not name.startswith("token_")]
    dictionaries += [f"{name}.list.element" for name in schema.names if name.startswith("token_texts_")]
    done = held = size = 0
    with ParquetWriter(path, schema, compression="zstd", use_dictionary=dictionaries) as writer:
        group: list[RecordBatch] = []
        for facts in _facts(study, wanted, scorers):
            group.append(pyarrow.RecordBatch.from_pylist(facts, schema=schema))
            done += len(facts)
            held, size = held + len(facts), size + group[-1].nbytes
            if held >= GROUP_ROWS or size >= GROUP_BYTES:
                writer.write_table(pyarrow.Table.from_batches(group), row_group_size=GROUP_ROWS)
                group, held, size = [], 0, 0
            yield done
        writer.write_table(pyarrow.Table.from_batches(group, schema=schema), row_group_size=GROUP_ROWS)


def write_jsonl(study: Study, wanted: Wanted, file: IO[str]) -> Iterator[int]:
    """Write our own format; yields how many samples were written, now and then.

    Counts that cover more samples than are stored follow their run's samples, so that an import has the same rates.
    """
    statements, scorers = _Statements(study), exporting.scorers(study) if wanted.tokens else []
    done = 0
    for run in wanted.runs:
        about = run_record(run)
        for batch in exporting.samples(study, run, wanted.verifier, texts=True):
            for row in batch:
                record = about | sample_record(row, statements.of(row))
                file.write(_line(record | _token_record(study, row, scorers)))
            done += len(batch)
            yield done
        file.writelines(_line(about | counts) for counts in _part_counts(study, run, wanted.verifier))


def _token_record(study: Study, row: SampleRow, scorers: Sequence[Scorer]) -> dict[str, object]:
    """What --tokens adds to a line; nothing where no model has gone through the response token by token."""
    lists = {one.name: token_lists(row.response or "", scores) for one, scores in _by_token(study, row, scorers)}
    for of in lists.values():
        of["decoded"] = of["decoded"] and [None if value == -inf else value for value in of["decoded"]]
    sums = {one.name: row.scores.get(one.model_id) for one in scorers}
    told = {name: of | {what: getattr(sums[name], what, None) for what in ("dtype", "engine")} for name, of in lists.items()}
    return {"token_scores": told} if told else {}


def _by_token(study: Study, row: SampleRow, scorers: Sequence[Scorer]) -> list[tuple[Scorer, TokenScores]]:
    found = exporting.by_token(study, row.sample_id) if scorers else {}
    return [(one, found[one.model_id]) for one in scorers if one.model_id in found]


def _line(record: dict[str, object]) -> str:
    return json.dumps(record, separators=(",", ":")) + "\n"


def _part_counts(study: Study, run: RunRow, verifier: str | None) -> Iterator[dict[str, object]]:
    """Counts of the run's problems of which fewer samples are stored than were counted."""
    keys = {problem.problem_id: problem.key for problem in study.problems(run.benchmark)}
    for count in study.counts(run.benchmark, verifier):
        if count.run_id == run.run_id and count.is_part and count.n:
            yield {"problem": keys[count.problem_id], "n": count.n, "correct": count.correct}


def run_record(run: RunRow) -> dict[str, object]:
    """A run as every line of our JSONL has it; what nobody recorded is left out."""
    settings = {name: value for name, value in asdict(run.settings).items() if value != UNKNOWN}
    if settings["seed"] == PER_SOURCE:
        del settings["seed"]
    model = {("model" if name == "name" else name): getattr(run.model, name) for name in _MODEL}
    record = model | {"benchmark": run.benchmark, "settings": settings}
    return {name: value for name, value in record.items() if value not in (None, UNKNOWN)}


def sample_record(row: SampleRow, statement: str | None) -> dict[str, object]:
    """A sample as a line of our JSONL has it; what nobody recorded is left out."""
    record: dict[str, object] = {
        "problem": row.problem.key,
        "statement": statement,
        "reference": row.problem.reference,
        "level": row.problem.level,
        "kind": None if row.problem.kind == "math" else row.problem.kind,
        "finish": None if row.finish is Finish.UNKNOWN else row.finish.value,
        "stop_reason": row.stop_reason,
        "tokens": row.tokens,
        "seed": row.seed,
        "extra": row.extra or None,
        "correct": is_correct(row.outcome),
        "answer": None if is_correct(row.outcome) is None else row.answer,
    }
    return {name: value for name, value in record.items() if value is not None} | {"response": row.response or ""}


def _setting(name: str, value: Number) -> object:
    if name not in NUMERIC_SETTINGS:
        return value
    return None if isinstance(value, str) else float(value)


def _pyarrow() -> Any:
    try:
        import pyarrow
    except ModuleNotFoundError:
        raise BaseboundError("--parquet needs pyarrow; install it with: pip install 'basebound[parquet]'") from None
    return pyarrow


def _schema(types: dict[str, str], wanted: Wanted, version: str) -> Schema:
    pyarrow = _pyarrow()
    about = {"basebound": version, "verifier": wanted.verifier or "deciding"}
    return pyarrow.schema([(name, _arrow(kind)) for name, kind in types.items()], about)


def _arrow(kind: str) -> Any:
    """pyarrow's type of that name."""
    pyarrow = _pyarrow()
    if kind in (_TEXTS, _REALS):
        return pyarrow.list_(_arrow(kind.removeprefix("list of ")))
    return getattr(pyarrow, "bool_" if kind == _FLAG else kind)()


def _facts(study: Study, wanted: Wanted, scorers: Sequence[Scorer]) -> Iterator[list[dict[str, object]]]:
    """The table's rows, by column, a batch at a time."""
    statements = _Statements(study)
    for run, batch in rows(study, wanted):
        about, size = run_facts(run), DETAILED_ROWS if wanted.tokens else len(batch)
        for first in range(0, len(batch), size):
            part = batch[first : first + size]
            facts = [about | sample_facts(row, scorers) for row in part]
            for fact, row in zip(facts, part, strict=True):
                if wanted.texts:
                    fact["statement"] = statements.of(row)
                    fact["response"] = row.response and printable(row.response)
                if wanted.tokens:
                    fact |= _token_facts(study, row, scorers)
            yield facts


def _token_facts(study: Study, row: SampleRow, scorers: Sequence[Scorer]) -> dict[str, object]:
    facts: dict[str, object] = dict.fromkeys(token_columns(scorers))
    for one, scores in _by_token(study, row, scorers):
        lists = token_lists(printable(row.response or ""), scores)
        facts |= {f"token_{name}_{one.name}": of for name, of in lists.items()}
    return facts


class _Statements:
    """Whole statements, each read once."""

    def __init__(self, study: Study) -> None:
        self._study = study
        self._known: dict[int, str | None] = {}

    def of(self, row: SampleRow) -> str | None:
        problem = row.problem
        if problem.problem_id not in self._known:
            self._known[problem.problem_id] = self._study.problem(problem.benchmark, problem.key).statement
        return self._known[problem.problem_id]
