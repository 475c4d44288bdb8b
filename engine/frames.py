"""A study as pandas data frames, for notebooks.

    with basebound.open("study.db") as study:
        counts = study.frames.counts()
        counts.groupby("run")[["correct", "n"]].sum()

`study.frames` has one method for each table: runs, problems, counts, samples, verdicts, audits, likelihoods, tokens. Each reads
the study's newest state when it is called; nothing is kept. A run is named by its slug, the column `run`, in every frame, and a
problem by `benchmark` and `problem`, so that frames are joined on these.

What is not known is missing (NaN, None or pandas' NA), never 0: a numeric setting that nobody recorded, an outcome that nobody
has given. pandas is imported by the first of these methods; the extra `report` brings it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, Self

from engine.exporting import RUN_COLUMNS, SAMPLE_COLUMNS, Wanted, rows, run_facts, sample_facts, score_columns
from engine.token_frames import TOKEN_COLUMNS, token_columns
from store import exporting
from store.audits import audits, is_model
from store.reader import Study
from store.rows import Count, RunRow

if TYPE_CHECKING:
    from pandas import DataFrame

_DTYPES: Final = {"string": "str", "int64": "Int64", "float64": "float64", "bool": "boolean", "count": "int64", "flag": "bool"}
"""Of a column, by its type in `engine.exporting`; a count and a flag are never missing. "name": pandas categories."""
_REPEATED: Final = frozenset(
    {"run", "benchmark", "problem", "level", "kind", "verifier", "verifier_version", "route", "finish", "imported", "outcome"}
)
"""Columns of few values in many rows, kept as pandas categories: a million samples then take a tenth of the memory."""

_PROBLEMS: Final = "SELECT benchmark, key, statement, reference, kind, level FROM problem ORDER BY problem_id"

_PLACE: Final = "FROM sample JOIN run USING (run_id) JOIN problem USING (problem_id)"

_CHOSEN: Final = "WHERE run.benchmark = ifnull(:benchmark, run.benchmark) AND run.run_id = ifnull(:run_id, run.run_id)"

_VERDICTS: Final = f"""
SELECT slug, run.benchmark, problem.key, idx, sample_id, verifier.name, version, outcome, route, answer, detail
{_PLACE} JOIN verdict USING (sample_id) JOIN verifier USING (verifier_id) {_CHOSEN} ORDER BY sample_id, verifier.name
"""

_LIKELIHOODS: Final = f"""
SELECT slug, run.benchmark, problem.key, idx, sample_id, scorer.name, scorer.revision, scorer.step,
       likelihood.temperature, likelihood.top_p, likelihood.top_k, likelihood.tokens, likelihood.logp, outside, stop_logp,
       likelihood.entropy, likelihood.lowest, likelihood.lowest_at, likelihood.first_choices, likelihood.edge, retokenized,
       likelihood.dtype, nullif(likelihood.engine, '')
{_PLACE} JOIN likelihood USING (sample_id) JOIN model AS scorer ON scorer.model_id = scorer_id {_CHOSEN}
ORDER BY sample_id, scorer_id, likelihood.temperature
"""

_SAMPLE: Final = {"run": "string", "benchmark": "string", "problem": "string", "index": "int64", "sample_id": "int64"}


class Frames:
    """The study's tables, each read when it is asked for."""

    def __init__(self, study: Study) -> None:
        self._study = study

    def runs(self, benchmark: str | None = None) -> DataFrame:
        """One row a run: slug, model and all settings."""
        return _frame([run_facts(run) for run in self._runs(benchmark, None)], RUN_COLUMNS)

    def problems(self, benchmark: str | None = None) -> DataFrame:
        """One row a problem, with its whole statement."""
        names = ("benchmark", "problem", "statement", "reference", "kind", "level")
        found = [row for row in self._study.query(_PROBLEMS) if benchmark in (None, row[0])]
        return _frame(_named(found, names), dict.fromkeys(names, "string"))

    def counts(self, benchmark: str | None = None, verifier: str | None = None) -> DataFrame:
        """One row for each run and problem: n = correct + incorrect + no_answer; error and unjudged are no part of it.

        verifier: whose verdicts count; None for the deciding one's, whom the column `verifier` names.
        Raises NotFound for a verifier that has judged nothing.
        """
        self._study.require_verifier(verifier)
        wanted = self._study.benchmarks() if benchmark is None else [self._study.benchmark(benchmark)]
        facts = [one for name in wanted for one in self._counts(name, verifier)]
        whole = ("n", "correct", "incorrect", "no_answer", "error", "unjudged", "samples", "truncated")
        names = ("run", "benchmark", "problem", "verifier")
        return _frame(facts, dict.fromkeys(names, "string") | dict.fromkeys(whole, "count") | {"published": "flag"})

    def samples(
        self, benchmark: str | None = None, run: str | None = None, verifier: str | None = None, *, texts: bool = False
    ) -> DataFrame:
        """One row a stored sample, with its outcome, answer, label and perplexities; responses where `texts` is true.

        The columns are those of `basebound export` (see engine/exporting.py), those of the run left out but its slug and
        benchmark. run: a slug or model name. Published counts have no samples, and a study may store a part of those counted.
        Raises NotFound for a benchmark, run or verifier that is not there.
        """
        self._study.require_verifier(verifier)
        scorers = exporting.scorers(self._study)
        types = {"run": "string", "benchmark": "string", "sample_id": "int64"} | SAMPLE_COLUMNS
        types |= score_columns(scorers)
        types |= {"response": "string"} if texts else {}
        facts = (
            {"run": of.slug, "benchmark": of.benchmark, "sample_id": row.sample_id, "response": row.response}
            | sample_facts(row, scorers)
            for of, batch in rows(self._study, Wanted(self._runs(benchmark, run), verifier, texts))
            for row in batch
        )
        return _frame(facts, types)

    def verdicts(self, benchmark: str | None = None, run: str | None = None) -> DataFrame:
        """One row for each sample and verifier that has judged it."""
        names = ("verifier", "version", "outcome", "route", "answer", "detail")
        return self._of_samples(_VERDICTS, dict.fromkeys(names, "string"), benchmark, run)

    def audits(self, benchmark: str | None = None, verifier: str | None = None) -> DataFrame:
        """One row for each label in force: the newest of each auditor and sample.

        `by_model` tells judge models from people, `random` whether the trace was drawn at random: only such labels say
        something of the traces that nobody read. verifier: whose verdict `outcome` is; None for the deciding one.
        """
        wanted = self._study.benchmarks() if benchmark is None else [self._study.benchmark(benchmark)]
        types = {**_SAMPLE, "outcome": "string", "auditor": "string", "by_model": "flag", "label": "int64", "meaning": "string"}
        types |= {"step": "int64", "note": "string", "chosen": "string", "random": "flag", "created": "string"}
        return _frame((fact for name in wanted for fact in self._labels(name, verifier)), types)

    def likelihoods(self, benchmark: str | None = None, run: str | None = None) -> DataFrame:
        """One row for each sample, scoring model and decoding; `logp` is the sum over `tokens`, in nats.

        A response that the decoding could never draw has no `logp`; `outside` says how many of its tokens those are.
        `stop_logp` is the stop token's part. `entropy` is the sum over the tokens, `lowest` the least probable one's nats, and
        `lowest_at` its place (from 0); at `first_choices` places no token was more probable. `edge`: largest of (mass of the
        tokens more probable than one) - top_p, below 0 where every token lies in the nucleus. What a server or an earlier
        program did not tell is missing. Where `retokenized`, the tokens need not be those generated; `dtype` and `engine` say
        how it was computed.
        """
        types = {"scorer": "string", "scorer_revision": "string", "scorer_step": "int64"}
        types |= dict.fromkeys(("temperature", "top_p"), "float64") | dict.fromkeys(("top_k", "tokens"), "int64")
        types |= {"logp": "float64", "outside": "int64", "stop_logp": "float64", "entropy": "float64", "lowest": "float64"}
        types |= {"lowest_at": "int64", "first_choices": "int64", "edge": "float64", "retokenized": "flag"}
        types |= {"dtype": "name", "engine": "name"}
        return self._of_samples(_LIKELIHOODS, types, benchmark, run)

    def tokens(self, benchmark: str | None = None, run: str | None = None) -> DataFrame:
        """One row for each token and scoring model, of the traces that were scored token by token.

        `place` counts the tokens from 0; `start` and `end` are characters of the response, missing where the tokens read
        otherwise; a stop token has none, so both are alike. `logp` and `entropy` are at temperature 1, in nats; `decoded` and
        `edge` are of the run's decoding: a token with `edge` below 0 lies in the nucleus. `is_fork`: the scorer's first choice
        is another token. `first_other_text`: the most probable token apart from the one there, kept where that one has a
        probability below 0.9. Precision is that of storage, see store/token_scores.py; exact sums are those of `likelihoods`.
        """
        name = None if benchmark is None else self._study.benchmark(benchmark)
        run_id = None if run is None else self._study.find_run(run, name).run_id
        return _framed(token_columns(self._study, name, run_id), _SAMPLE | TOKEN_COLUMNS)

    def _of_samples(self, sql: str, types: dict[str, str], benchmark: str | None, run: str | None) -> DataFrame:
        """The frame of a query whose rows begin with the sample they belong to."""
        runs = self._runs(benchmark, run)
        values = {"benchmark": benchmark, "run_id": runs[0].run_id if run is not None else None}
        every = _SAMPLE | types
        return _frame(_named(self._study.query(sql, values), list(every)), every)

    def _runs(self, benchmark: str | None, run: str | None) -> list[RunRow]:
        name = None if benchmark is None else self._study.benchmark(benchmark)
        return self._study.runs(name) if run is None else [self._study.find_run(run, name)]

    def _labels(self, benchmark: str, verifier: str | None) -> Iterator[dict[str, object]]:
        slugs = {run.run_id: run.slug for run in self._study.runs(benchmark)}
        keys = {problem.problem_id: problem.key for problem in self._study.problems(benchmark)}
        for row in audits(self._study, benchmark, verifier=verifier):
            place = {"run": slugs[row.run_id], "benchmark": benchmark, "problem": keys[row.problem_id], "index": row.idx}
            said = {name: getattr(row, name) for name in ("sample_id", "auditor", "label", "step", "note", "random", "created")}
            outcome, meaning = row.outcome and row.outcome.value, row.meaning and row.meaning.value
            yield (
                place
                | said
                | {"outcome": outcome, "meaning": meaning, "chosen": row.chosen.value}
                | {"by_model": is_model(row.auditor)}
            )

    def _counts(self, benchmark: str, verifier: str | None) -> list[dict[str, object]]:
        slugs = {run.run_id: run.slug for run in self._study.runs(benchmark)}
        places = {problem.problem_id: (at, problem.key) for at, problem in enumerate(self._study.problems(benchmark))}
        order = {run_id: at for at, run_id in enumerate(slugs)}
        found = [count for count in self._study.counts(benchmark, verifier) if count.run_id in slugs]
        found.sort(key=lambda count: (order[count.run_id], places[count.problem_id][0]))
        return [_count(one, slugs[one.run_id], benchmark, places[one.problem_id][1]) for one in found]


class FramedStudy(Study):
    """A study opened for reading that gives data frames, too: what `basebound.open` returns."""

    def __enter__(self) -> Self:
        return self

    @property
    def frames(self) -> Frames:
        """Runs, problems, counts, samples, verdicts, audits, likelihoods and tokens as pandas data frames."""
        return Frames(self)


def _count(count: Count, slug: str, benchmark: str, key: str) -> dict[str, object]:
    names = ("n", "correct", "incorrect", "no_answer", "error", "unjudged", "samples", "truncated", "published")
    facts: dict[str, object] = {"run": slug, "benchmark": benchmark, "problem": key, "verifier": count.verifier}
    return facts | {name: getattr(count, name) for name in names}


def _named(found: Iterable[Sequence[Any]], names: Sequence[str]) -> list[dict[str, object]]:
    return [dict(zip(names, row, strict=True)) for row in found]


def _frame(facts: Iterable[dict[str, object]], types: dict[str, str]) -> DataFrame:
    """Rows as a frame of these columns, in this order, whether there are rows or not."""
    columns: dict[str, list[object]] = {name: [] for name in types}
    for fact in facts:
        for name, values in columns.items():
            values.append(fact[name])
    return _framed(columns, types)


def _framed(columns: Mapping[str, list[object]], types: Mapping[str, str]) -> DataFrame:
    pandas = _pandas()
    return pandas.DataFrame(
        {name: pandas.Series(columns[name], dtype=_dtype(name, kind, columns[name])) for name, kind in types.items()}
    )


def _dtype(name: str, kind: str, values: list[object]) -> Any:
    """pandas' type of a column. Categories keep the order in which the study has them: base first."""
    if kind == "name" or (kind == "string" and name in _REPEATED):
        return _pandas().CategoricalDtype([value for value in dict.fromkeys(values) if value is not None])
    return _DTYPES[kind]


def _pandas() -> Any:
    try:
        import pandas
    except ModuleNotFoundError:
        raise ImportError("data frames need pandas; install it with: pip install 'basebound[report]'") from None
    return pandas
