"""Reading a study: standard library only, read-only, one query a method.

The DECIDING verdict of a sample is our verifier's for the problem's kind where it has judged, else the imported one; every
method that depends on it takes `verifier` to choose another by name.

A `Study` may be used from several threads (its calls wait for each other), each call sees the newest committed state.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from math import exp, inf
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import Any

from store.errors import NotFound
from store.files import BUSY_TIMEOUT_MS, connect_readonly, explained
from store.names import Link, run_names
from store.rows import Count, ProblemRow, RunRow, ScoreRow, ToJudge, Trace, TraceRow, VerdictRow
from store.texts import TextReader
from store.types import IMPORTED, JUDGE_PREFIX, SETTING_NAMES, Finish, Model, Outcome, Reading, Role, Rule, Settings

_RUNS = f"""
SELECT run_id, slug, key, benchmark, name, revision, role, parent, algorithm, step, training_seed, {", ".join(SETTING_NAMES)}
FROM run JOIN model USING (model_id)
ORDER BY benchmark,
         CASE role WHEN 'base' THEN 0 WHEN 'sft' THEN 1 WHEN 'instruct' THEN 2 WHEN 'rl' THEN 3 WHEN 'distilled' THEN 4
                   ELSE 5 END,
         name, step, revision, run_id
"""

_PROBLEMS = """
SELECT problem_id, benchmark, key, substr(statement, 1, 300), reference, kind, level
FROM problem WHERE benchmark = ? ORDER BY problem_id
"""

# The deciding tally of each run and problem: published counts where they cover more than the traces that are stored (a part
# of what was counted); else ours for the problem's kind, else imported; or the one asked for. Beside it, what the same verifier
# says of the extra samples: not beside published counts, for of those a part is stored, perhaps chosen by its answers.
_COUNTS = """
WITH chosen AS (
  SELECT tally.*, row_number() OVER (
           PARTITION BY tally.run_id, tally.problem_id
           ORDER BY origin = 'published' AND correct + incorrect + no_answer + error > coalesce(samples, 0) DESC,
                    tally.verifier <> problem.kind, origin
         ) AS place
  FROM tally JOIN problem USING (problem_id) LEFT JOIN drawn USING (run_id, problem_id)
  WHERE problem.benchmark = :benchmark
    AND CASE WHEN :verifier IS NULL THEN tally.verifier IN (problem.kind, 'imported') ELSE tally.verifier = :verifier END
)
SELECT pair.run_id, pair.problem_id, chosen.verifier,
       coalesce(chosen.correct, 0), coalesce(chosen.incorrect, 0), coalesce(chosen.no_answer, 0), coalesce(chosen.error, 0),
       coalesce(samples, 0), coalesce(truncated, 0), coalesce(origin = 'published', 0),
       coalesce(extra, 0), coalesce(beyond.correct, 0), coalesce(beyond.correct + beyond.incorrect + beyond.no_answer, 0)
FROM (SELECT run_id, problem_id FROM drawn UNION SELECT run_id, problem_id FROM tally) AS pair
JOIN problem ON problem.problem_id = pair.problem_id AND problem.benchmark = :benchmark
LEFT JOIN drawn ON drawn.run_id = pair.run_id AND drawn.problem_id = pair.problem_id
LEFT JOIN chosen ON chosen.run_id = pair.run_id AND chosen.problem_id = pair.problem_id AND chosen.place = 1
LEFT JOIN extra_tally AS beyond ON beyond.run_id = pair.run_id AND beyond.problem_id = pair.problem_id
  AND beyond.verifier = chosen.verifier AND chosen.origin = 'derived'
"""

_ANSWERING = """
SELECT problem_id FROM verdict JOIN sample USING (sample_id) JOIN problem USING (problem_id)
WHERE benchmark = :benchmark AND instr(lower(answer), lower(:text))
UNION
SELECT problem_id FROM problem WHERE benchmark = :benchmark AND instr(lower(statement), lower(:text))
"""

_WHOLE_PROBLEM = "SELECT problem_id, benchmark, key, statement, reference, kind, level, images FROM problem "

_ORIGIN = """
SELECT sample.seed, stop_reason, source.path, source_line
FROM sample LEFT JOIN source USING (source_id) WHERE sample_id = ?
"""

IN_FORCE = """given.label IS NOT NULL AND NOT EXISTS (
    SELECT 1 FROM audit AS later WHERE later.sample_id = given.sample_id AND later.auditor = given.auditor
      AND later.audit_id > given.audit_id)"""
"""Of `audit AS given`: the newest of its auditor for the sample, and not taken back."""

NEWEST_MARK = """NOT EXISTS (
    SELECT 1 FROM mark AS later WHERE later.sample_id = given.sample_id AND later.auditor = given.auditor
      AND later.kind = given.kind AND later.step IS given.step AND later.mark_id > given.mark_id)"""
"""Of `mark AS given`: the newest of its auditor for the sample, kind and step. It is in force unless it is `gone`."""

NEWEST_TAG = """NOT EXISTS (
    SELECT 1 FROM tag AS later WHERE later.problem_id = given.problem_id AND later.auditor = given.auditor
      AND later.tag = given.tag AND later.tag_id > given.tag_id)"""
"""Of `tag AS given`: the newest of its auditor for the problem and word. It is in force unless it is `gone`."""

BY_MODEL = f"substr(auditor, 1, {len(JUDGE_PREFIX)}) = '{JUDGE_PREFIX}'"
"""Of an audit: given by a judge model, and no person."""

STANDING = f"""(
  SELECT audit_id FROM audit AS given WHERE given.sample_id = sample.sample_id AND {IN_FORCE}
  ORDER BY {BY_MODEL}, audit_id DESC LIMIT 1)"""
"""The audit that is shown for a sample: of those in force the newest, a person's before a judge model's."""

BASE_NATS = """(
  SELECT -logp / likelihood.tokens FROM likelihood
  WHERE likelihood.sample_id = sample.sample_id AND temperature = 1 AND top_p = 1 AND top_k = 0 AND likelihood.tokens > 0
    AND scorer_id IN (SELECT model_id FROM model WHERE role = 'base')
  ORDER BY scorer_id LIMIT 1)"""
"""Nats a token of a sample under the base model, at temperature 1: perplexity is exp of it. NULL where none has scored it."""

PATH = "(SELECT path FROM path WHERE path.sample_id = sample.sample_id LIMIT 1)"
SUSPICION = "(SELECT score FROM suspicion WHERE suspicion.sample_id = sample.sample_id)"
FLAGGED = f"""EXISTS (
  SELECT 1 FROM mark AS given WHERE given.sample_id = sample.sample_id AND kind = 'flag' AND NOT gone AND {NEWEST_MARK})"""
"""What else is known of a sample: one SQL expression each, for rows and filters alike."""

_SAMPLES = f"""
SELECT sample_id, run_id, problem_id, idx, finish, chars, tokens, extra, problem.kind,
       (SELECT label FROM audit WHERE audit_id = {STANDING}), {BASE_NATS}, {PATH}, {SUSPICION}, {FLAGGED}
FROM sample JOIN problem USING (problem_id) WHERE sample.{{where}} ORDER BY run_id, idx
"""

_VERDICTS = """
SELECT sample_id, verifier.name, version, outcome, route, answer, answer_start, answer_end, detail
FROM sample JOIN verdict USING (sample_id) JOIN verifier USING (verifier_id) JOIN problem USING (problem_id)
WHERE sample.{where}
ORDER BY sample_id, CASE verifier.name WHEN problem.kind THEN 0 WHEN 'imported' THEN 1 ELSE 2 END
"""


_READINGS = """
SELECT verifier.name, version, rule, outcome, answer, answer_start, answer_end
FROM reading JOIN verifier USING (verifier_id) WHERE sample_id = ? ORDER BY rule
"""

DECIDING = """
JOIN verdict ours ON ours.sample_id = sample.sample_id
JOIN verifier deciding ON deciding.verifier_id = ours.verifier_id AND deciding.name = coalesce(:verifier, (
  SELECT name FROM verdict JOIN verifier USING (verifier_id)
  WHERE verdict.sample_id = sample.sample_id AND name IN (problem.kind, 'imported') ORDER BY name = 'imported' LIMIT 1))
"""
"""Joins a sample and its problem with the deciding verdict: the chosen verifier's, else ours for the kind, else the file's."""


def in_doubt(outcome: str) -> str:
    """SQL of a `reading`: another rule contradicts that outcome of the verdict. A first box that is wrong where the answer is
    right is a step on the way to it."""
    return f"(reading.outcome = 'correct') <> ({outcome} = 'correct') AND NOT (rule = 'first' AND {outcome} = 'correct')"


def contradicted(outcome: str, verifier_id: str) -> str:
    """SQL of a `sample` with that deciding verdict: both kinds of doubt about it, another verifier (the file among them) or
    another rule of the deciding one."""
    return f"""(
  EXISTS (SELECT 1 FROM verdict AS another WHERE another.sample_id = sample.sample_id
          AND (another.outcome = 'correct') <> ({outcome} = 'correct'))
  OR EXISTS (SELECT 1 FROM reading
             WHERE reading.sample_id = sample.sample_id AND reading.verifier_id = {verifier_id} AND {in_doubt(outcome)}))"""


IN_DOUBT = in_doubt("ours.outcome")

_MISREAD = f"""
SELECT DISTINCT sample.sample_id, name FROM sample JOIN verdict ours USING (sample_id) JOIN verifier USING (verifier_id)
JOIN reading ON reading.sample_id = sample.sample_id AND reading.verifier_id = ours.verifier_id
WHERE sample.{{where}} AND {IN_DOUBT}
"""

_DISPUTED = f"""
SELECT run_id, problem_id, count(*) FROM problem JOIN sample USING (problem_id) {DECIDING}
WHERE problem.benchmark = :benchmark AND {contradicted("ours.outcome", "ours.verifier_id")}
GROUP BY run_id, problem_id
"""

_UNBOXED = """
SELECT slug, sum(route = 'no box'), count(*)
FROM verdict JOIN verifier USING (verifier_id) JOIN sample USING (sample_id) JOIN run USING (run_id)
WHERE verifier.name = 'math' AND finish <> 'length' AND NOT extra GROUP BY run_id
"""

_SCORES = """
SELECT name, step, max(CASE WHEN temperature = 1 AND top_p = 1 AND top_k = 0 THEN -logp / tokens END),
       max(CASE WHEN temperature <> 1 OR top_p <> 1 OR top_k <> 0 THEN outside END),
       max(CASE WHEN temperature = 1 AND top_p = 1 AND top_k = 0 THEN logp END), max(edge), max(retokenized), max(dtype)
FROM likelihood JOIN model ON model_id = scorer_id WHERE sample_id = ? AND tokens > 0
GROUP BY scorer_id ORDER BY CASE role WHEN 'base' THEN 0 ELSE 1 END, scorer_id
"""

_TO_JUDGE = """
FROM sample JOIN problem USING (problem_id) JOIN text USING (sample_id)
WHERE sample.sample_id > :after AND kind = ifnull(:kind, kind) AND reference IS NOT NULL
  AND NOT EXISTS (SELECT 1 FROM verdict WHERE verdict.sample_id = sample.sample_id AND verifier_id = :verifier_id)
"""


_JUDGED = """
SELECT sample_id, run_id, problem_id, coalesce(reference, ''), finish, dictionary_id, response,
       outcome, route, answer, answer_start, answer_end
FROM verdict JOIN sample USING (sample_id) JOIN problem USING (problem_id) JOIN text USING (sample_id)
WHERE verifier_id = :verifier_id AND sample.sample_id > :after ORDER BY sample_id LIMIT :batch
"""


class Study:
    """A study opened for reading. Close it, or use it as a context manager.

    busy_ms: how long a read waits for another program's lock before it raises StudyBusy.
    Raises NotAStudy, WrongSchema or StudyBusy on opening.
    """

    def __init__(self, path: Path | str, busy_ms: int = BUSY_TIMEOUT_MS) -> None:
        self.path = Path(path)
        self._connection = connect_readonly(self.path, busy_ms)
        self._calls = Lock()
        self.texts = TextReader(self.query)

    def close(self) -> None:
        """Waits for a call that another thread is in: SQLite itself does not survive being closed under it."""
        with self._calls:
            self._connection.close()

    def __enter__(self) -> Study:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def data_version(self) -> int:
        """A number that is another one once another program has committed something to the study."""
        version: int = self.query("PRAGMA data_version")[0][0]
        return version

    def runs(self, benchmark: str | None = None) -> list[RunRow]:
        """All runs, base first within a benchmark."""
        found: dict[str, list[tuple[Any, ...]]] = {}
        for row in self.query(_RUNS):
            found.setdefault(row[3], []).append(row)
        return [run for name, rows in found.items() if benchmark in (None, name) for run in _run_rows(rows)]

    def benchmarks(self) -> list[str]:
        """Benchmarks that have runs, in alphabetical order."""
        return [name for (name,) in self.query("SELECT DISTINCT benchmark FROM run ORDER BY benchmark")]

    def benchmark(self, name: str) -> str:
        """The name, if the study has runs on it. Raises NotFound."""
        names = self.benchmarks()
        if name not in names:
            raise NotFound(f"{self.path} has no benchmark '{name}'; there are: {', '.join(names) or 'none'}")
        return name

    def require_verifier(self, name: str | None) -> None:
        """Raises NotFound for a verifier that has judged nothing here; None is the deciding one, always there."""
        names = self.verifiers()
        if name is not None and name not in names:
            raise NotFound(f"{self.path} has no verdicts by '{name}'; there are: {', '.join(names) or 'none'}")

    def verifiers(self) -> list[str]:
        """Names of the verifiers that have judged something (a file's own scores count as `imported`)."""
        sql = "SELECT verifier FROM tally UNION SELECT verifier FROM extra_tally ORDER BY verifier"
        return [name for (name,) in self.query(sql)]

    def problems(self, benchmark: str) -> list[ProblemRow]:
        """The benchmark's problems in the order they came, statements cut after 300 characters."""
        return [ProblemRow(*row) for row in self.query(_PROBLEMS, (benchmark,))]

    def problem(self, benchmark: str, key: str) -> ProblemRow:
        """One problem with its full statement. Raises NotFound."""
        for row in self.query(_WHOLE_PROBLEM + "WHERE benchmark = ? AND key = ?", (benchmark, key)):
            return _whole_problem(row)
        raise NotFound(f"{self.path} has no problem {benchmark}:{key}; `basebound passk {self.path}` lists the benchmarks")

    def problems_answering(self, benchmark: str, text: str) -> set[int]:
        """Ids of the problems that hold the text in any verdict's answer or in the whole statement, capitals of ASCII aside."""
        return {problem_id for (problem_id,) in self.query(_ANSWERING, {"benchmark": benchmark, "text": text})}

    def counts(self, benchmark: str, verifier: str | None = None) -> list[Count]:
        """Counts of every run and problem of the benchmark that has samples or published counts; extra samples apart.

        verifier: a name to judge by, or None for the deciding verifier of each run and problem.
        """
        rows = self.query(_COUNTS, {"benchmark": benchmark, "verifier": verifier})
        return [_count(row) for row in rows]

    def traces(self, problem_id: int, verifier: str | None = None) -> list[TraceRow]:
        """Every trace of one problem, by run and index."""
        return self._trace_rows("problem_id = ?", problem_id, verifier)

    def disputed(self, benchmark: str, verifier: str | None = None) -> dict[tuple[int, int], int]:
        """By (run_id, problem_id): samples whose deciding verdict another verifier or rule contradicts."""
        rows = self.query(_DISPUTED, {"benchmark": benchmark, "verifier": verifier})
        return {(run_id, problem_id): number for run_id, problem_id, number in rows}

    def trace(self, sample_id: int, verifier: str | None = None) -> Trace:
        """One trace, whole. Raises NotFound."""
        rows = self._trace_rows("sample_id = ?", sample_id, verifier)
        if not rows:
            raise NotFound(f"{self.path} has no sample with id {sample_id}")
        row = rows[0]
        (seed, stop_reason, source, line) = self.query(_ORIGIN, (sample_id,))[0]
        (problem,) = self.query(_WHOLE_PROBLEM + "WHERE problem_id = ?", (row.problem_id,))
        verdicts = sorted(
            self._verdicts("sample_id = ?", sample_id).get(sample_id, []), key=lambda v: v.verifier != row.verifier
        )
        readings = self._readings(sample_id)
        return Trace(
            row=row,
            run=next(run for run in self.runs() if run.run_id == row.run_id),
            problem=_whole_problem(problem),
            response=self.texts.response(sample_id),
            verdicts=tuple(replace(v, readings=readings.get((v.verifier, v.version), ())) for v in verdicts),
            seed=seed,
            stop_reason=stop_reason,
            source=None if source is None else f"{source}:{line}",
            scores=tuple(_score_row(row) for row in self.query(_SCORES, (sample_id,))),
            path=next((path for (path,) in self.query("SELECT path FROM path WHERE sample_id = ?", (sample_id,))), None),
        )

    def find_sample(self, link: Link) -> int:
        """The sample a link points to. Raises NotFound with the part that is not there."""
        run = self.find_run(link.slug)
        if link.benchmark is None or link.key is None or link.index is None:
            raise NotFound(f"the link {link} names no sample; a full link looks like {link.slug}/{run.benchmark}:KEY/0")
        problem = self.problem(link.benchmark, link.key)
        found = self.query(
            "SELECT sample_id FROM sample WHERE problem_id = ? AND run_id = ? AND idx = ?",
            (problem.problem_id, run.run_id, link.index),
        )
        if not found:
            raise NotFound(f"{self.path} has no trace {link}; counts without traces, or fewer samples than that")
        sample_id: int = found[0][0]
        return sample_id

    def find_run(self, name: str, benchmark: str | None = None) -> RunRow:
        """The run of that slug, slug without @benchmark, or model name, where that is unique. Raises NotFound."""
        runs = self.runs(benchmark)
        wanted = name.lower()
        for found in (
            [run for run in runs if run.slug == name],
            [run for run in runs if run.slug.lower() == wanted],
            [run for run in runs if run.slug.rsplit("@", 1)[0].lower() == wanted],
            [run for run in runs if wanted in _model_names(run)],
        ):
            if len(found) == 1:
                return found[0]
            if found:
                raise NotFound(f"'{name}' fits several runs: {_listing(found)}; name one of these")
        where = f" for benchmark {benchmark}" if benchmark else ""
        raise NotFound(f"{self.path} has no run '{name}'{where}; there are: {_listing(runs) or 'none'}")

    def count_to_judge(self, kind: str | None, verifier: str, version: str) -> int:
        """How many samples of that kind of problem, with a reference answer, this version of the verifier has not judged.

        kind: None for every kind.
        """
        values = {"after": 0, "kind": kind, "verifier_id": self._verifier_id(verifier, version)}
        count: int = self.query("SELECT count(*) " + _TO_JUDGE, values)[0][0]
        return count

    def to_judge(self, kind: str | None, verifier: str, version: str, batch: int) -> Iterator[list[ToJudge]]:
        """Those samples in batches, by id. Verdicts written meanwhile do not disturb the order."""
        select = "SELECT sample_id, run_id, problem_id, reference, finish, dictionary_id, response " + _TO_JUDGE
        after = 0
        while rows := self.query(
            select + "ORDER BY sample_id LIMIT :batch",
            {"after": after, "kind": kind, "verifier_id": self._verifier_id(verifier, version), "batch": batch},
        ):
            yield [
                ToJudge(sample_id, run_id, problem_id, reference, self.texts.unpack(*packed), Finish(finish))
                for sample_id, run_id, problem_id, reference, finish, *packed in rows
            ]
            after = rows[-1][0]

    def judged(self, verifier: str, version: str, batch: int) -> Iterator[list[tuple[ToJudge, VerdictRow]]]:
        """Every sample that this version of the verifier has judged, with its verdict, by id."""
        after = 0
        values = {"verifier_id": self._verifier_id(verifier, version), "batch": batch}
        while rows := self.query(_JUDGED, values | {"after": after}):
            yield [self._judged_row(verifier, version, row) for row in rows]
            after = rows[-1][0]

    def _judged_row(self, verifier: str, version: str, row: tuple[Any, ...]) -> tuple[ToJudge, VerdictRow]:
        sample_id, run_id, problem_id, reference, finish, dictionary_id, packed, outcome, route, answer, start, end = row
        sample = ToJudge(sample_id, run_id, problem_id, reference, self.texts.unpack(dictionary_id, packed), Finish(finish))
        span = None if start is None or end is None else (start, end)
        return sample, VerdictRow(verifier, version, Outcome(outcome), route, answer, span, None)

    def count_judged(self, verifier: str) -> dict[str, int]:
        """How many verdicts each version of a verifier has given."""
        sql = "SELECT version, count(*) FROM verdict JOIN verifier USING (verifier_id) WHERE name = ? GROUP BY version"
        return dict(self.query(sql, (verifier,)))

    def without_reference(self, kind: str | None) -> int:
        """Samples of that kind of problem (None: of every kind) that nobody has judged and none of ours can: no reference."""
        sql = """SELECT count(*) FROM sample JOIN problem USING (problem_id)
                 WHERE kind = ifnull(?, kind) AND reference IS NULL
                   AND NOT EXISTS (SELECT 1 FROM verdict WHERE verdict.sample_id = sample.sample_id)"""
        count: int = self.query(sql, (kind,))[0][0]
        return count

    def unboxed(self) -> list[tuple[str, int, int]]:
        """Slug of each run that `math` has judged, samples without a box, samples judged; truncated ones aside."""
        return [(slug, without, judged) for slug, without, judged in self.query(_UNBOXED)]

    def count_samples(self, kind: str) -> int:
        """How many samples of that kind of problem there are."""
        sql = "SELECT count(*) FROM sample JOIN problem USING (problem_id) WHERE kind = ?"
        count: int = self.query(sql, (kind,))[0][0]
        return count

    def kinds(self) -> list[str]:
        """Kinds of problem in the study; each names the verifier that decides it."""
        return [kind for (kind,) in self.query("SELECT DISTINCT kind FROM problem ORDER BY kind")]

    def _verifier_id(self, name: str, version: str) -> int:
        rows = self.query("SELECT verifier_id FROM verifier WHERE name = ? AND version = ?", (name, version))
        return int(rows[0][0]) if rows else -1

    def _trace_rows(self, where: str, value: int, verifier: str | None) -> list[TraceRow]:
        verdicts = self._verdicts(where, value)
        misread = set(self.query(_MISREAD.format(where=where), (value,)))
        rows = []
        for sample_id, run_id, problem_id, idx, finish, chars, tokens, extra, kind, label, *known in self.query(
            _SAMPLES.format(where=where), (value,)
        ):
            nats, path, suspicion, flagged = known
            own = verdicts.get(sample_id, [])
            decided = _deciding(own, (kind, IMPORTED) if verifier is None else (verifier,))
            theirs = next((v for v in own if v.verifier == IMPORTED), None)
            rows.append(
                TraceRow(
                    sample_id=sample_id,
                    run_id=run_id,
                    problem_id=problem_id,
                    idx=idx,
                    outcome=decided.outcome if decided else None,
                    verifier=decided.verifier if decided else None,
                    route=decided.route if decided else None,
                    answer=decided.answer if decided else None,
                    imported=theirs.outcome if theirs else None,
                    finish=Finish(finish),
                    chars=chars,
                    tokens=tokens,
                    label=label,
                    disputed=decided is not None
                    and ((sample_id, decided.verifier) in misread or any(_differ(decided.outcome, v.outcome) for v in own)),
                    perplexity=None if nats is None else perplexity_of(nats),
                    path=path,
                    suspicion=suspicion,
                    flagged=bool(flagged),
                    extra=bool(extra),
                )
            )
        return rows

    def _verdicts(self, where: str, value: int) -> dict[int, list[VerdictRow]]:
        """Verdicts by sample, in the order of who decides: ours for the problem's kind, imported, others."""
        found: dict[int, list[VerdictRow]] = {}
        for sample_id, name, version, outcome, route, answer, start, end, detail in self.query(
            _VERDICTS.format(where=where), (value,)
        ):
            span = None if start is None or end is None else (start, end)
            verdict = VerdictRow(name, version, Outcome(outcome), route, answer, span, detail)
            found.setdefault(sample_id, []).append(verdict)
        return found

    def _readings(self, sample_id: int) -> dict[tuple[str, str], tuple[Reading, ...]]:
        """By verifier's name and version."""
        found: dict[tuple[str, str], tuple[Reading, ...]] = {}
        for name, version, rule, outcome, answer, start, end in self.query(_READINGS, (sample_id,)):
            span = None if start is None or end is None else (start, end)
            found[name, version] = (*found.get((name, version), ()), Reading(Rule(rule), Outcome(outcome), answer, span))
        return found

    def query(self, sql: str, values: Sequence[object] | Mapping[str, object] = ()) -> list[tuple[Any, ...]]:
        """Rows of a query of this folder's own; errors are explained."""
        with explained(self.path), self._calls:
            return self._connection.execute(sql, values).fetchall()


def _deciding(verdicts: list[VerdictRow], names: tuple[str, ...]) -> VerdictRow | None:
    """The verdict of the first of these verifiers that has judged."""
    return next((verdict for name in names for verdict in verdicts if verdict.verifier == name), None)


def _differ(one: Outcome, other: Outcome) -> bool:
    """Whether one says right and the other does not."""
    return (one is Outcome.CORRECT) != (other is Outcome.CORRECT)


def _model_names(run: RunRow) -> set[str]:
    name = run.model.name.lower()
    return {name, name.rsplit("/", 1)[-1]}


def _listing(runs: list[RunRow]) -> str:
    return ", ".join(run.slug for run in runs[:12]) + (", ..." if len(runs) > 12 else "")


def _whole_problem(row: tuple[Any, ...]) -> ProblemRow:
    return replace(ProblemRow(*row[:-1]), images=tuple(json.loads(row[-1] or "[]")))


def _count(row: tuple[Any, ...]) -> Count:
    run_id, problem_id, verifier, correct, incorrect, no_answer, error, samples, truncated, published, *extra = row
    return Count(
        run_id, problem_id, verifier, correct, incorrect, no_answer, error, samples, truncated, bool(published), *extra
    )


def perplexity_of(nats_a_token: float) -> float:
    """exp of it; infinite where that is no number any more (some servers say -9999 for what they cannot say)."""
    return exp(nats_a_token) if nats_a_token < _LARGEST_EXPONENT else inf


_LARGEST_EXPONENT = 709


def _score_row(row: tuple[Any, ...]) -> ScoreRow:
    name, step, nats_a_token, outside, nats, edge, anew, dtype = row
    perplexity = None if nats_a_token is None else perplexity_of(nats_a_token)
    return ScoreRow(name, step, perplexity, outside, nats, edge, bool(anew), dtype)


def _run_rows(rows: list[tuple[Any, ...]]) -> list[RunRow]:
    """The runs of one benchmark."""
    models = [Model(name, revision, Role(role), *rest) for _, _, _, _, name, revision, role, *rest in (r[:11] for r in rows)]
    settings = [Settings(*row[11:]) for row in rows]
    names = run_names(list(zip(models, settings, strict=True)))
    return [RunRow(*row[:4], *more) for row, *more in zip(rows, models, settings, names, strict=True)]
