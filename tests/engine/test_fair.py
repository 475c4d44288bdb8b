"""Which stored responses figures are made of: of a part that was kept for its answers, the first samples of each problem."""

from __future__ import annotations

from math import exp
from pathlib import Path

import pytest

from engine.board import Board, read_board
from engine.claims import claims
from engine.fair import fair_perplexities, used_by_run
from engine.likelihoods import PairLikelihoods, read_pair
from store.reader import Study
from store.types import (
    Batch,
    Finish,
    Likelihood,
    Model,
    NewCount,
    NewDraw,
    NewSample,
    NewTrace,
    Outcome,
    Prompt,
    Run,
    Settings,
    Verdict,
)
from store.verdicts import Judged
from store.writer import SourceFile, Writer
from tests.builders import BASE, RL, problem

DRAWN = Settings(prompt_template="{problem}", temperature=0.6, top_p=0.95, top_k=0, max_tokens=9, seed=0)
FACTS = Batch("scripted", "1", "none", "none", "here", "code points")
PROBLEMS = [problem(f"{key:02}") for key in range(12)]
PERSON = Model("a person")
FIRST = 4


def drawn(path: Path, model: Model, kept: range | list[int]) -> Run:
    """Of each problem the samples with these indices; a right one is far less likely than the others."""
    run = Run(model, "sums", DRAWN)
    with Writer(path, "test") as writer:
        batch = writer.open_batch(run, FACTS, {one: Prompt("?", (1,)) for one in PROBLEMS})
        texts = {at: "right" if at >= FIRST or at == 0 else "wrong" for at in kept}
        writer.add_draws(
            batch, [NewDraw(one, at, at, texts[at], (7, 1, 0), Finish.STOP, "<end>") for one in PROBLEMS for at in kept]
        )
    return run


def told(path: Path, model: Model, texts: list[str]) -> Run:
    """Imported responses, these to each problem; nobody knows how they were drawn."""
    run = Run(model, "sums")
    with Writer(path, "test") as writer:
        source = writer.open_source(SourceFile(f"{model.name}.jsonl", "test", f"{len(model.name)}" * 32, 1))
        traces = [
            NewTrace(run, one, NewSample(text, i * len(texts) + line, finish=Finish.STOP))
            for i, one in enumerate(PROBLEMS)
            for line, text in enumerate(texts, 1)
        ]
        writer.add_traces(source, traces)
    return run


def counts(path: Path, *runs: Run) -> None:
    """100 were drawn of each, 30 of them right."""
    with Writer(path, "test") as writer:
        source = writer.open_source(SourceFile("all.csv", "test", "9" * 64, 1))
        writer.add_counts(source, [NewCount(run, one, 30, 70, 100) for run in runs for one in PROBLEMS])


def verdicts(path: Path) -> None:
    with Study(path) as study:
        traces = [study.trace(i) for (i,) in study.query("SELECT sample_id FROM sample")]
    judged = [
        Judged(
            trace.row.sample_id,
            trace.row.run_id,
            trace.row.problem_id,
            Verdict(Outcome.CORRECT if trace.response.startswith("right") else Outcome.INCORRECT, "script"),
        )
        for trace in traces
    ]
    with Writer(path, "test") as writer:
        writer.add_verdicts("math", "1", judged)


def scored(path: Path, scorer: Model, most: int = 10**6) -> None:
    """2 nats a token for the samples beyond the first, 1 for those; at both decodings, and nothing beyond `most` samples."""
    with Study(path) as study:
        samples = study.query("SELECT sample_id, idx FROM sample ORDER BY sample_id")[:most]
    plain = [Likelihood(i, 1, 1, 0, 3, -6.0 if idx >= FIRST else -3.0, 0, None) for i, idx in samples]
    own = [
        Likelihood(
            i, 0.6, 0.95, 0, 3, None if idx >= FIRST else -2.0, int(idx >= FIRST), None, edge=0.04 if idx >= FIRST else -0.1
        )
        for i, idx in samples
    ]
    with Writer(path, "test") as writer:
        writer.add_likelihoods(scorer, "float64", [*plain, *own])


def board_of(study: Study) -> Board:
    return read_board(study, "sums")


def pair_of(path: Path) -> PairLikelihoods:
    with Study(path) as study:
        board = board_of(study)
        return read_pair(study, board, *board.runs[:2])


@pytest.fixture
def part(tmp_path: Path) -> Path:
    """Of base the first four and two right ones are stored, of RL the first eight."""
    path = tmp_path / "part.db"
    runs = drawn(path, BASE, [*range(FIRST), 6, 9]), drawn(path, RL, range(8))
    verdicts(path)
    counts(path, *runs)
    scored(path, BASE)
    return path


def test_of_a_part_kept_for_its_answers_the_first_samples_are_used(part: Path) -> None:
    found = pair_of(part)
    base, rl = (found.used[run.run_id] for run in (found.base, found.other))
    assert (base.first, base.perhaps_chosen, base.stored, base.of) == (FIRST, False, 6 * 12, 4 * 12)
    assert (rl.first, rl.of, rl.words) == (8, 8 * 12, "the first 8 samples of each problem")
    assert base.scored == {(BASE.name, BASE.revision): 4 * 12}
    assert found.base_on_base is not None
    assert found.base_on_base.responses == 4 * 12
    assert found.base_on_base.pooled == pytest.approx(exp(1))
    assert found.base_on_base.correct.responses == 12
    assert found.null is not None
    assert (found.null.share, found.null.responses) == (1, 4 * 12)
    assert found.percentiles is None, "four of base's own are too few"
    assert found.notes == ()


def test_every_figure_has_the_same_responses(part: Path) -> None:
    found = pair_of(part)
    with Study(part) as study:
        board = board_of(study)
        pooled = {one.run_id: one.pooled for one in fair_perplexities(study, board)}
        rows = {row.claim.name: row for row in claims(study, board)}
    assert found.base_on_base is not None
    assert found.base_on_other is not None
    assert pooled == {found.base.run_id: found.base_on_base.pooled, found.other.run_id: found.base_on_other.pooled}
    likely, reachable = rows["likely-under-base"], rows["reachable-from-base"]
    assert f"{exp(1.5):.3f} for 96 responses of" in likely.reason
    assert f"{exp(1):.3f} for 48 of" in likely.reason
    assert "the first 8 samples of each problem and the first 4 samples of each problem" in likely.reason
    assert "as the null, for 100.0 % of 48 of" in reachable.reason


def test_an_imported_part_may_have_been_chosen_and_is_used_whole(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    runs = told(path, BASE, ["right", "wrong"]), told(path, RL, ["right", "wrong", "right"])
    verdicts(path)
    counts(path, runs[0])
    with Study(path) as study:
        base, rl = used_by_run(study, board_of(study)).values()
    assert (base.first, base.perhaps_chosen, base.of) == (None, True, 24)
    assert "perhaps chosen by its answers" in base.words
    assert (rl.first, rl.perhaps_chosen, rl.of, rl.words) == (None, False, 36, "all samples")


def test_a_part_without_the_first_sample_of_some_problem_may_have_been_chosen(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    counts(path, drawn(path, BASE, [1, 2, 3]))
    verdicts(path)
    with Study(path) as study:
        (used,) = used_by_run(study, board_of(study)).values()
    assert (used.first, used.perhaps_chosen, used.of) == (None, True, 36)


def test_scoring_that_stopped_halfway_is_told(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    drawn(path, BASE, range(4))
    drawn(path, RL, range(4))
    verdicts(path)
    scored(path, BASE, most=60)
    found = pair_of(path)
    assert found.used[found.other.run_id].partly == ((BASE.name, 12),)
    assert found.notes == (
        f"{BASE.name} has scored 12 of the 48 responses of {found.other.slug} that are used: figures are of those",
    )


def test_a_person_is_not_asked_for_scores_and_stands_at_base_s_decoding(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    drawn(path, BASE, range(4))
    told(path, PERSON, ["right"])
    verdicts(path)
    found = pair_of(path)
    assert [(model.name, run.model.name) for model, run in found.missing] == [(BASE.name, BASE.name), (BASE.name, PERSON.name)]
    assert found.anew == {found.other.run_id}
    assert found.is_empty
    scored(path, BASE)
    found = pair_of(path)
    assert (found.missing, found.is_empty, found.no_support) == ((), False, None)
    assert found.support is not None
    assert (found.support.responses, found.support.top_p) == (12, 0.95)
    assert found.at_decoding_of == {found.other.run_id: found.base}
    assert found.notes == (f"{found.other.slug} is asked at the decoding of {found.base.slug}: its own is unknown",)
    assert found.no_recovery is not None
