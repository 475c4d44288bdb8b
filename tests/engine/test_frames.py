"""Frames: a notebook sees what the study has, joined on names, with what is unknown missing and never 0."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

import basebound
from engine.analyses.passk import mean_pass_at_k
from engine.exporting import score_columns
from engine.frames import FramedStudy
from engine.summary import summarise
from explorer.commands.passk import read_boards
from store.audits import Audit, AuditWriter, Chosen
from store.errors import NotFound
from store.exporting import scorers
from store.reader import Study
from store.types import Likelihood, NewCount
from store.writer import Writer
from tests.builders import BASE, RL, answers, problem, run, source

ROOT = Path(__file__).parents[2]
FRAMES = ("runs", "problems", "counts", "samples", "verdicts", "audits", "likelihoods", "tokens")


@pytest.fixture
def db(tmp_path: Path) -> Path:
    """base: 2 of 3 on problem 1, one unjudged on 2; rl: 1 of 2 on 1, and 9 of 16 published on 2. Sample 1 has two labels."""
    path = tmp_path / "study.db"
    with Writer(path, "test") as writer:
        src = source(writer)
        for line, (of, key, correct) in enumerate(
            [(run(), "1", c) for c in (True, True, False)] + [(run(), "2", None)] + [(run(RL), "1", c) for c in (False, True)]
        ):
            writer.add_traces(src, answers([f"so {line}"], start=line + 1, of=of, on=problem(key), correct=correct))
        writer.add_counts(source(writer, "counts"), [NewCount(run(RL), problem("2"), 1, 9, 16)])
        writer.add_likelihoods(
            BASE, "float64", [Likelihood(1, 1.0, 1.0, 0, 4, -2.0, 0, None), Likelihood(1, 0.6, 0.95, 0, 4, None, 3, None)]
        )
    with AuditWriter(path) as writer:
        for audit in (
            Audit(1, "ann", 2),
            Audit(1, "ann", 1, chosen=Chosen.RANDOM),
            Audit(1, "judge:m", 3),
            Audit(2, "ann", None),
        ):
            writer.add(audit)
    return path


def test_open_gives_the_study_it_always_gave_with_frames_on_top(db: Path) -> None:
    with basebound.open(db) as study:
        assert isinstance(study, Study)
        assert [row.slug for row in study.runs()] == study.frames.runs()["run"].tolist()
        assert set(FRAMES) == {name for name in vars(type(study.frames)) if not name.startswith("_")}


def test_opening_imports_neither_pandas_nor_numpy() -> None:
    code = "import sys, basebound, engine.frames; print({'pandas', 'numpy', 'matplotlib'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


def test_counts_are_the_boards(db: Path) -> None:
    with FramedStudy(db) as study:
        frame = study.frames.counts()
        (board,) = read_boards(study)
        (summary,) = [summarise(board)]
    assert len(frame) == len(board.cells) == 4
    assert frame[["n", "correct", "unjudged"]].to_numpy().tolist() == [[3, 2, 0], [0, 0, 1], [2, 1, 0], [16, 9, 0]]
    assert frame["published"].tolist() == [False, False, False, True]
    assert frame["verifier"].isna().tolist() == [False, True, False, False]
    rl = frame[frame["run"] == "rl-7b-step-100@sums"]
    (entry,) = [entry for entry in summary.runs if entry.run.model == RL]
    assert mean_pass_at_k(rl["n"], rl["correct"], list(entry.k)).tolist() == list(entry.pass_at_k)


def test_groups_come_in_the_studys_order_base_first(db: Path) -> None:
    with FramedStudy(db) as study:
        totals = study.frames.counts().groupby("run", observed=True)["correct"].sum()
    assert totals.index.tolist() == ["base-7b@sums", "rl-7b-step-100@sums"]
    assert totals.tolist() == [2, 10]


def test_samples_say_what_the_study_says_of_them(db: Path) -> None:
    with FramedStudy(db) as study:
        frame = study.frames.samples(texts=True)
        rows = {row.sample_id: row for p in study.problems("sums") for row in study.traces(p.problem_id)}
        assert set(frame["sample_id"]) == set(rows)
        for fact in frame.itertuples():
            row = rows[fact.sample_id]
            assert (None if pd.isna(fact.outcome) else fact.outcome) == row.outcome
            assert (fact.index, fact.chars, fact.response) == (row.idx, row.chars, study.trace(row.sample_id).response)
        assert "response" not in study.frames.samples().columns
    first = frame.set_index("sample_id").loc[1]
    assert (first["label"], first["auditor"]) == (1, "ann"), "a person's label stands before a model's"
    assert (first["ppl_base-7b"], first["outside_base-7b"]) == (pytest.approx(2.718281828**0.5), 3)
    assert frame["tokens"].isna().all()
    assert frame["correct"].isna().sum() == 1


def test_audits_are_the_labels_in_force_and_who_gave_them(db: Path) -> None:
    with FramedStudy(db) as study:
        frame = study.frames.audits()
    assert frame[["auditor", "label", "meaning", "by_model", "random"]].to_numpy().tolist() == [
        ["ann", 1, "sound", False, True],
        ["judge:m", 3, "unsound", True, False],
    ]
    assert frame[["run", "problem", "index"]].to_numpy().tolist() == [["base-7b@sums", "1", 0]] * 2


def test_likelihoods_keep_both_decodings_and_what_cannot_be_drawn_is_missing(db: Path) -> None:
    with FramedStudy(db) as study:
        frame = study.frames.likelihoods()
    assert frame[["temperature", "tokens", "outside"]].to_numpy().tolist() == [[0.6, 4, 3], [1.0, 4, 0]]
    assert frame["logp"].isna().tolist() == [True, False]


def test_likelihoods_say_how_they_were_made(db: Path) -> None:
    with Writer(db, "test") as writer:
        told = Likelihood(2, 1.0, 1.0, 0, 4, -3.0, 0, None, 2.5, -1.5, 2, 3, retokenized=True)
        writer.add_likelihoods(RL, "float32", [told], engine="by hand")
    with FramedStudy(db) as study:
        frame = study.frames.likelihoods()
    names = ["entropy", "lowest", "lowest_at", "first_choices", "retokenized", "dtype", "engine"]
    assert frame.iloc[-1][names].tolist() == [2.5, -1.5, 2, 3, True, "float32", "by hand"]
    first = frame.iloc[0]
    assert (first["retokenized"], first["dtype"]) == (False, "float64")
    assert frame.iloc[:2][["entropy", "lowest", "lowest_at", "first_choices", "edge", "engine"]].isna().all().all()


def test_runs_join_with_everything(db: Path) -> None:
    with FramedStudy(db) as study:
        runs, samples = study.frames.runs(), study.frames.samples()
    joined = samples.merge(runs[["run", "role", "temperature", "step"]], on="run")
    assert joined["temperature"].tolist() == [0.6] * 6
    assert joined["role"].tolist() == ["base"] * 4 + ["rl"] * 2
    assert runs["step"].isna().tolist() == [True, False]
    assert runs["min_p"].isna().all(), "a setting nobody recorded is missing"
    assert runs["chat_template"].tolist() == ["unknown"] * 2


def test_filters(db: Path) -> None:
    with FramedStudy(db) as study:
        frames = study.frames
        assert len(frames.samples(run="rl-7b")) == 2
        assert set(frames.verdicts(run="lab/base-7b")["run"]) == {"base-7b@sums"}
        assert len(frames.verdicts()) == 5
        assert len(frames.likelihoods(run="rl-7b")) == 0
        with pytest.raises(NotFound):
            frames.samples(benchmark="x")
        with pytest.raises(NotFound):
            frames.samples(run="nobody")
        with pytest.raises(NotFound):
            frames.counts(verifier="oracle")


def test_a_study_with_nothing_of_a_kind_gives_the_same_columns(db: Path, tmp_path: Path) -> None:
    with Writer(tmp_path / "empty.db", "test"):
        pass
    with FramedStudy(db) as full, FramedStudy(tmp_path / "empty.db") as empty:
        for name in FRAMES:
            some, none = getattr(full.frames, name)(), getattr(empty.frames, name)()
            assert len(none) == 0
            by_scorer = set(score_columns(scorers(full))) if name == "samples" else set()
            assert [column for column in some if column not in by_scorer] == none.columns.tolist()
            kinds = {column: some[column].dtype.kind for column in none}
            assert kinds == {column: none[column].dtype.kind for column in none}, name


def test_frames_show_what_was_written_meanwhile(db: Path) -> None:
    with FramedStudy(db) as study:
        frames = study.frames
        before = len(frames.samples())
        with Writer(db, "test") as writer:
            writer.add_traces(source(writer, "b"), answers(["new"]))
        assert len(frames.samples()) == before + 1


def test_without_pandas_the_extra_is_named(db: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    with FramedStudy(db) as study:
        assert study.runs()
        with pytest.raises(ImportError, match=r"pip install 'basebound\[report\]'"):
            study.frames.counts()
