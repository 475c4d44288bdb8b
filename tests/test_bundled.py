"""What comes with the program: the models load anywhere and draw what transformers draws, the demo runs."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tokenizers import Tokenizer

import sample_data
from engine.board import read_board
from engine.decoding import Decoding
from engine.problems import read_problems
from engine.prompts import Template
from engine.samplers.base import Manner, Opening, Request
from engine.samplers.transformers import TransformersSampler
from engine.sampling import content_revision
from engine.steps import split_steps
from engine.verifiers.base import Question
from engine.verifiers.math import MathVerifier
from explorer import cli
from explorer.commands import bundled, demo, paths, score
from explorer.commands.bundled import bundled_study
from explorer.commands.demo import PAPER
from explorer.commands.explore import ONLY_TRACE
from explorer.commands.narration import Narrator
from sample_data import BASE, GRPO, MAX_TOKENS, MODELS, PROBLEMS, PROMPT, STUDY
from sample_data.recipe import bundle
from sample_data.recipe.make import write_problems
from store.check import check_structure
from store.errors import BaseboundError
from store.migrations import create_schema
from store.names import parse_link
from store.reader import Study
from store.schema import MIGRATIONS
from store.suspicions import reasons
from store.texts import pack_file
from store.tokens import unpack_ids
from store.types import Outcome, sample_seed
from store.writer import Writer

ROOT = Path(__file__).parents[1]


def size(path: Path) -> int:
    return sum(file.stat().st_size for file in path.rglob("*") if file.is_file())


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Study]:
    with Study(bundled_study(Narrator(quiet=True), tmp_path_factory.mktemp("data"))) as study:
        yield study


def test_models_and_study_are_small_enough_for_a_repository() -> None:
    assert size(sample_data.HERE / "models") + STUDY.stat().st_size < 25e6
    assert [tiny.folder for tiny in MODELS if not (tiny.path / "model.safetensors").is_file()] == []


def test_the_held_out_problems_are_what_the_recipe_draws(tmp_path: Path) -> None:
    write_problems("test", tmp_path / "p.jsonl")
    assert (tmp_path / "p.jsonl").read_text() == PROBLEMS.read_text()


def test_ids_are_those_of_the_raw_tokenizers_library() -> None:
    raw = Tokenizer.from_file(str(BASE.path / "tokenizer.json"))
    with TransformersSampler(Opening(BASE.path)) as sampler:
        for problem in read_problems(PROBLEMS):
            text = PROMPT.format(problem=problem.statement)
            prompt = sampler.prompt(Template(PROMPT), problem.statement or "")
            assert (prompt.text, list(prompt.ids)) == (text, raw.encode(text).ids)
            assert raw.decode(raw.encode(text).ids, skip_special_tokens=False) == text


def test_answers_are_distributed_as_transformers_generate_draws_them() -> None:
    """Two-sample chi-square over the answers to one problem, 600 draws of each at the paper's decoding."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, set_seed

    problem = next(p for p in read_problems(PROBLEMS) if p.level == "remainders")
    with TransformersSampler(Opening(BASE.path, dtype="float32")) as sampler:
        prompt = sampler.prompt(Template(PROMPT), problem.statement or "").ids
        requests = [Request(i, prompt, sample_seed("t", problem, i)) for i in range(600)]
        ours = [d.text for d in sampler.sample(requests, Manner(Decoding(0.6, 0.95), MAX_TOKENS))]
    model: Any = AutoModelForCausalLM.from_pretrained(BASE.path, dtype=torch.float32)
    tokenizer = AutoTokenizer.from_pretrained(BASE.path)
    set_seed(5)
    generated = model.generate(
        torch.tensor([prompt]), do_sample=True, temperature=0.6, top_p=0.95, top_k=0,
        max_new_tokens=MAX_TOKENS, num_return_sequences=600,
    )  # fmt: skip
    theirs = tokenizer.batch_decode(generated[:, len(prompt) :], skip_special_tokens=True)
    assert chi_square(Counter(map(answer, ours)), Counter(map(answer, theirs))) < 1


def answer(text: str) -> str:
    boxes = re.findall(r"\\boxed\{(\d+)\}", text)
    return boxes[-1] if boxes else "none"


def chi_square(ours: Counter[str], theirs: Counter[str]) -> float:
    """The statistic over its 99.9 % quantile; answers seen fewer than 12 times together are one class."""
    from scipy.stats import chi2

    common = [key for key, count in (ours + theirs).items() if count >= 12]
    rest = [sum(count for key, count in counts.items() if key not in common) for counts in (ours, theirs)]
    table = [(ours[key], theirs[key]) for key in common] + ([tuple(rest)] if sum(rest) >= 12 else [])
    assert len(table) > 3
    statistic = sum((a - b) ** 2 / (a + b) for a, b in table)
    return float(statistic / chi2.ppf(0.999, len(table) - 1))


def test_the_bundled_study_is_sound(study: Study) -> None:
    assert list(check_structure(study.path)) == []


def test_todays_verifier_says_of_the_bundled_traces_what_is_stored(study: Study) -> None:
    """Whatever its version: what is bundled was judged once."""
    ((name, version),) = study.query("SELECT name, version FROM verifier")
    compared = 0
    with MathVerifier() as verifier:
        for batch in study.judged(name, version, 2000):
            questions = [Question(asked.response, asked.reference, asked.finish) for asked, _ in batch]
            again = verifier.judge(questions)
            assert [v.outcome for v in again] == [stored.outcome for _, stored in batch]
            compared += len(batch)
    assert [(compared,)] == study.query("SELECT count(*) FROM sample")


def test_every_run_of_the_bundled_study_was_drawn_1024_times_from_a_bundled_model(study: Study) -> None:
    expected = {(tiny.name, tiny.step, content_revision(tiny.path), *decoding) for tiny, decoding in bundle.RUNS}
    runs = study.runs()
    found = {
        (r.model.name, r.model.step, r.model.revision, float(r.settings.temperature), float(r.settings.top_p)) for r in runs
    }
    assert found == expected
    assert len(runs) == len(expected)
    board = read_board(study, "tiny-sums")
    assert len(board.problems) == len(read_problems(PROBLEMS))
    assert {cell.n for cell in board.cells.values()} == {bundle.N}
    assert len(board.cells) == len(runs) * len(board.problems)


def test_the_bundled_study_has_the_texts_worth_reading_scored_by_base(study: Study) -> None:
    board = read_board(study, "tiny-sums")
    boundary = bundle.boundary_of(board)
    assert boundary
    for problem in board.problems:
        traces = study.traces(problem.problem_id)
        for run in board.runs:
            own = [row for row in traces if row.run_id == run.run_id]
            assert {row.idx for row in own} >= set(range(bundle.READABLE))
            if problem.problem_id in boundary:
                right = sum(row.outcome == "correct" for row in own)
                assert right == board.cells[run.run_id, problem.problem_id].correct
    unscored = study.query(
        "SELECT count(*) FROM sample s WHERE NOT EXISTS (SELECT 1 FROM likelihood l JOIN model m ON m.model_id = l.scorer_id"
        " WHERE l.sample_id = s.sample_id AND m.role = 'base')"
    )
    assert unscored == [(0,)]


def test_samples_of_the_bundled_study_can_be_drawn_again(study: Study) -> None:
    """In a small batch, as they were drawn in a large one. Draws of an RL model, since its folder is not the first one."""
    tiny, (temperature, top_p) = GRPO[-1], PAPER
    run = next(r for r in study.runs() if r.model.step == tiny.step and r.settings.temperature == temperature)
    problems = {problem.key: problem for problem in read_problems(PROBLEMS)}
    rows = study.query(
        "SELECT s.seed, s.idx, p.key, prompt.ids, token.ids FROM sample s JOIN problem p USING (problem_id)"
        " JOIN prompt USING (run_id, problem_id) JOIN token USING (sample_id)"
        " WHERE run_id = ? AND s.sample_id % 101 = 0 ORDER BY sample_id",
        (run.run_id,),
    )
    assert len(rows) > 5
    with TransformersSampler(Opening(tiny.path)) as sampler:
        requests, manner = [], Manner(Decoding(temperature, top_p), MAX_TOKENS)
        for number, (seed, idx, key, prompt, _) in enumerate(rows):
            assert seed == sample_seed(run.key, problems[key], idx)
            requests.append(Request(number, unpack_ids(prompt), seed))
        again = {drawn.request.unit: drawn.ids for drawn in sampler.sample(requests, manner)}
    assert again == {number: tuple(unpack_ids(ids)) for number, (*_, ids) in enumerate(rows)}


def test_the_users_copy_is_made_once_and_kept(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "new"
    copy = bundled_study(Narrator(), folder)
    with Writer(copy, "test"):
        pass
    kept = copy.read_bytes()
    assert bundled_study(Narrator(), folder) == copy
    assert copy.read_bytes() == kept
    assert [file.name for file in folder.iterdir()] == [copy.name]
    assert str(copy) in capsys.readouterr().err


def test_a_damaged_copy_says_how_to_have_it_anew(tmp_path: Path) -> None:
    copy = bundled_study(Narrator(quiet=True), tmp_path)
    copy.write_bytes(b"")
    with pytest.raises(BaseboundError, match="makes it anew"):
        bundled_study(Narrator(), tmp_path)
    copy.unlink()
    assert bundled_study(Narrator(), tmp_path) == copy


def test_whoever_is_second_leaves_the_first_copy_alone(tmp_path: Path) -> None:
    copy = bundled_study(Narrator(quiet=True), tmp_path)
    inode = copy.stat().st_ino
    bundled._unpack(STUDY.read_bytes(), copy)  # as a process that looked before the copy was there
    assert copy.stat().st_ino == inode
    assert [file.name for file in tmp_path.iterdir()] == [copy.name]


def test_what_a_killed_process_left_is_dropped(tmp_path: Path) -> None:
    left, now = tmp_path / ".unpacking-old", tmp_path / ".unpacking-now"
    for folder in (left, now):
        folder.mkdir()
    os.utime(left, (0, 0))
    bundled_study(Narrator(quiet=True), tmp_path)
    assert (left.exists(), now.exists()) == (False, True)


def test_figures_of_a_part_say_so(study: Study, capsys: pytest.CaptureFixture[str]) -> None:
    paths.show(study)
    score.show(study)
    out = " ".join(capsys.readouterr().out.split())
    assert out.count("of 61,440") == len(study.runs())
    assert out.count("the first 32 samples of each problem, 1,920 of") == len(study.runs())


def test_a_data_folder_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(BaseboundError, match="XDG_DATA_HOME"):
        bundled_study(Narrator(), tmp_path / "file" / "folder")


def test_a_study_of_an_older_schema_becomes_one_of_this(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a release bundles may be older than its schema."""
    from sqlite_utils import Database

    old = tmp_path / "old.db"
    create_schema(Database(old), MIGRATIONS[:1])
    monkeypatch.setattr(sample_data, "STUDY", tmp_path / "old.zst")
    (tmp_path / "old.zst").write_bytes(pack_file(old.read_bytes()))
    copy = bundled_study(Narrator(), tmp_path / "data")
    with Study(copy) as study:
        assert study.runs() == []
    assert [file.name for file in copy.parent.iterdir()] == [copy.name]


def test_the_users_copy_of_an_older_schema_is_brought_up_to_date(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from sqlite_utils import Database

    copy = bundled_study(Narrator(quiet=True), tmp_path)
    copy.unlink()
    old = Database(copy)
    create_schema(old, MIGRATIONS[:3])
    old.close()
    assert bundled_study(Narrator(), tmp_path) == copy
    with Study(copy) as study:
        assert study.runs() == []
    assert "is what it was before" in capsys.readouterr().err


def test_the_study_of_one_trace_shows_its_slips(tmp_path: Path) -> None:
    link = parse_link(ONLY_TRACE)
    with Study(bundled_study(Narrator(quiet=True), tmp_path, "lucky")) as study:
        trace = study.trace(study.find_sample(link))
        (reason,) = reasons(study, trace.row.sample_id) or ()
        assert list(check_structure(study.path)) == []
    assert trace.row.outcome is Outcome.CORRECT
    assert "2024, not 1924" in reason.detail
    assert "905, not 805" in reason.detail
    step = split_steps(trace.response)[(link.step or 0) - 1]
    assert step.start <= reason.start < step.end, "the explorer opens at that very step"


def test_the_bundled_study_opens_without_what_runs_models_and_again_without_numpy(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from explorer.commands.bundled import bundled_study;"
        "from explorer.commands.narration import Narrator; from explorer.model.session import Session;"
        f"Session.open(bundled_study(Narrator(), Path({str(tmp_path)!r}))); print(*sys.modules)"
    )
    heavy = {"torch", "transformers", "tokenizers", "sklearn", "scipy"}
    for forbidden in (heavy, heavy | {"numpy"}):  # making the copy needs what writes studies, which brings numpy
        done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
        assert set(done.stdout.split()).isdisjoint(forbidden)


def test_the_demo_prints_its_tables_and_adds_nothing_the_second_time(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "new" / "folder"
    path = demo.make_study(folder, Narrator(), 2)
    first = capsys.readouterr()
    for words in ("tiny-base@tiny-sums", "pass@2", "base only", "median PPL", "supported %", "paths a problem"):
        assert words in first.out
    assert list(check_structure(path)) == []
    demo.make_study(folder, Narrator(), 2)
    second = capsys.readouterr()
    assert second.out == first.out
    assert "0 samples drawn, 120 already there" in second.err


def test_the_demo_without_a_terminal_needs_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo, "SAMPLES", 1)
    assert cli.main(["demo", "--dir", str(tmp_path), "--quiet"]) == 0
    assert (tmp_path / "demo.db").exists()


def test_without_the_models_extra_a_sentence_says_what_to_install(tmp_path: Path) -> None:
    code = "import sys; sys.modules['torch'] = None; import basebound; sys.exit(basebound.main())"
    done = subprocess.run(
        [sys.executable, "-c", code, "demo", "--no-explore", "--dir", str(tmp_path)],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert "basebound[models]" in done.stderr
