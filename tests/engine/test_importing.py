"""Files in: every format, broken lines, growth, compression, interruption; importing twice adds nothing."""

from __future__ import annotations

import gzip
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine import importers
from engine.importers import files
from engine.importers.base import Options, check_set
from engine.importers.files import BadLine, ImportProblem, Line
from engine.importers.looking import look
from engine.importing import Imported, import_file, prepare
from store.check import check_structure
from store.reader import Study
from store.rows import Count, RunRow
from store.types import Finish, Outcome, Role
from store.writer import Writer
from tests.builders import harness_line, native, write_jsonl

ROOT = Path(__file__).parents[2]


def bring(db: Path, path: Path, **options: object) -> Imported:
    with Writer(db, "import") as writer:
        return import_file(writer, prepare(look(path), Options(**options)))  # type: ignore[arg-type]


def runs(db: Path) -> list[RunRow]:
    with Study(db) as study:
        return study.runs()


def counts(db: Path, benchmark: str = "sums") -> list[Count]:
    with Study(db) as study:
        return study.counts(benchmark)


@pytest.fixture
def db(tmp_path: Path) -> Path:
    return tmp_path / "study.db"


def test_native_lines_keep_every_fact(db: Path, tmp_path: Path) -> None:
    line = native(
        "7",
        r"so \boxed{4}",
        revision="abc",
        parent="lab/older",
        algorithm="GRPO",
        step=150,
        finish="length",
        tokens=12,
        seed=5,
        correct=True,
        answer="4",
        settings={"temperature": 0.6, "stop": ["</s>"]},
    )
    result = bring(db, write_jsonl(tmp_path / "a.jsonl", [line]))
    assert (result.format, result.traces, result.bad) == ("basebound", 1, [])
    with Study(db) as study:
        trace = study.trace(1)
    model = trace.run.model
    assert (model.revision, model.role, model.parent, model.algorithm, model.step) == (
        "abc",
        Role.BASE,
        "lab/older",
        "GRPO",
        150,
    )
    assert (trace.run.settings.temperature, trace.run.settings.top_p, trace.run.settings.stop) == (0.6, "unknown", '["</s>"]')
    assert (trace.row.finish, trace.row.tokens, trace.seed) == (Finish.LENGTH, 12, 5)
    assert (trace.row.imported, trace.verdicts[0].answer) == (Outcome.CORRECT, "4")


def test_harness_files_tell_settings_and_benchmark_by_their_name(db: Path, tmp_path: Path) -> None:
    folder = tmp_path / "checkpoints" / "Qwen-7B_aime24_temp0.6_n2_seed1" / "eval_results" / "global_step_20" / "aime24"
    folder.mkdir(parents=True)
    line = harness_line(3, [r"\boxed{4}", "cut"], [True, False]) | {"finish_reason": ["stop", "length"]}
    path = write_jsonl(folder / "test_qwen-boxed_-1_seed1_t0.6_s0_e-1.jsonl", [line])
    result = bring(db, path)
    assert (result.format, result.traces) == ("harness", 2)
    (run,) = runs(db)
    assert (run.model.name, run.model.step, run.benchmark) == ("Qwen-7B", 20, "aime24")
    assert (run.settings.prompt_template, run.settings.temperature, run.settings.seed) == ("qwen-boxed", 0.6, "per-source")
    second = write_jsonl(path.with_name("test_qwen-boxed_-1_seed2_t0.6_s0_e-1.jsonl"), [line])
    assert bring(db, second).traces == 0, "the same content under another seed's name is the same source"
    write_jsonl(second, [line | {"code": ["other", "texts"]}])
    assert bring(db, second).traces == 2
    assert len(runs(db)) == 1, "a second seed's file adds to the run"
    (count,) = counts(db, "aime24")
    assert (count.samples, count.correct, count.truncated) == (4, 2, 2)


def test_a_harness_file_without_a_model_says_how_to_name_it(db: Path, tmp_path: Path) -> None:
    path = write_jsonl(tmp_path / "x.jsonl", [harness_line(0, ["a"])])
    with pytest.raises(ImportProblem, match="--model NAME"):
        bring(db, path)
    assert bring(db, path, model="m").traces == 1
    assert runs(db)[0].benchmark == "x"


def test_a_harness_file_kept_under_model_and_benchmark_tells_both(db: Path, tmp_path: Path) -> None:
    path = write_jsonl(tmp_path / "cat-1b__sums.jsonl", [harness_line(0, ["a"])])
    bring(db, path)
    assert [(run.model.name, run.benchmark) for run in runs(db)] == [("cat-1b", "sums")]
    bring(db, path, model="dog", benchmark="b")
    assert ("dog", "b") in [(run.model.name, run.benchmark) for run in runs(db)]


def test_scores_of_another_length_are_left_out_and_told(db: Path, tmp_path: Path) -> None:
    path = write_jsonl(tmp_path / "x.jsonl", [harness_line(0, ["a", "b"], [True])])
    result = bring(db, path, model="m")
    assert result.traces == 2
    assert "score has 1 entries for 2 responses" in result.bad[0].why
    assert counts(db, "x")[0].n == 0


def rollouts(**more: object) -> dict[str, object]:
    line: dict[str, object] = {"model_alias": "rl", "model_name": "lab/rl", "model_revision": "step-300", "qid": 4}
    rollout = {"rollout": 0, "text": r"\boxed{52}", "pred_token": "52", "extract_method": "boxed", "correct": True}
    return line | {"question": "?", "gold": "52", "rollouts": [rollout, rollout | {"correct": False}]} | more


@pytest.mark.parametrize("names", [("rl_raw.jsonl", "run_config.json"), ("x__rl_raw.jsonl", "x__run_config.json")])
def test_nested_rollouts_take_their_settings_from_the_sidecar(db: Path, tmp_path: Path, names: tuple[str, str]) -> None:
    config = {"sft_model": "lab/sft", "temperature": 1.0, "top_p": 0.95, "max_new_tokens": 2048, "seed": 42}
    (tmp_path / names[1]).write_text(json.dumps(config | {"question_file": "data/gsm8k_subset.jsonl"}))
    result = bring(db, write_jsonl(tmp_path / names[0], [rollouts()]))
    assert (result.format, result.traces) == ("rollouts", 2)
    (run,) = runs(db)
    assert (run.model.step, run.model.role, run.model.parent) == (300, Role.RL, "lab/sft")
    assert (run.settings.temperature, run.settings.max_tokens, run.settings.seed) == (1, 2048, "per-source")
    assert run.benchmark == "gsm8k_subset"
    with Study(db) as study:
        assert study.trace(1).verdicts[0].route == "file, boxed"
        assert study.query("SELECT seed, sidecar IS NOT NULL FROM source") == [(42, 1)]


def test_a_broken_sidecar_is_a_sentence(db: Path, tmp_path: Path) -> None:
    (tmp_path / "run_config.json").write_text("{")
    with pytest.raises(ImportProblem, match=r"run_config\.json, the settings beside"):
        bring(db, write_jsonl(tmp_path / "a.jsonl", [rollouts()]))


def test_count_tables_become_published_tallies(db: Path, tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("model,problem_index,n,correct\nA,2,128,120\nA,5,128,129\nA,x\nB,2,128,ten\nB,2,128,7\n")
    result = bring(db, path, benchmark="sums", roles={"A": Role.BASE})
    assert (result.format, result.counts) == ("counts", 2)
    assert [bad.number for bad in result.bad] == [3, 4, 5]
    assert [(c.correct, c.n, c.samples, c.published) for c in counts(db)] == [(120, 128, 0, True), (7, 128, 0, True)]
    assert [(run.model.name, run.model.role) for run in runs(db)] == [("A", "base"), ("B", "other")]
    again = bring(db, path, benchmark="sums")
    assert (again.counts, again.known) == (0, 2)


def test_broken_lines_are_told_by_number_and_never_stop_the_rest(db: Path, tmp_path: Path) -> None:
    good = json.dumps(native("1", "fine"))
    path = tmp_path / "a.jsonl"
    deep = "[" * 200_000
    path.write_bytes(
        b"\xef\xbb\xbf" + f"{good}\n\n{{\n[1]\n{deep}\n".encode()
        + json.dumps(native("1", "x") | {"tokens": "many"}).encode() + b"\n"
        + json.dumps({"problem": "1"}).encode() + b"\n"
        + f'{{"problem": "1", "response": "big", "model": "m", "tokens": {"9" * 5000}}}\n'.encode()
        + json.dumps(native("1", "last")).encode()
    )  # fmt: skip
    result = bring(db, path)
    assert result.traces == 2
    assert [bad.number for bad in result.bad] == [3, 4, 5, 6, 7, 8]


def test_bytes_that_are_no_utf8_survive(db: Path, tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    line = json.dumps(native("1", "MARK")).encode().replace(b"MARK", b"caf\xe9 \xff")
    path.write_bytes(line + b"\n" + json.dumps(native("1", "\ud800 lone")).encode() + b"\n")
    assert bring(db, path).traces == 2
    with Study(db) as study:
        assert study.trace(1).response.encode("utf-8", "surrogateescape") == b"caf\xe9 \xff"
        assert study.trace(2).response == "\ud800 lone"


def test_gz_and_plain_are_one_source_and_a_grown_file_adds_its_new_lines(db: Path, tmp_path: Path) -> None:
    path = write_jsonl(tmp_path / "a.jsonl", [native("1", f"text {i}") for i in range(5)])
    packed = tmp_path / "b.jsonl.gz"
    packed.write_bytes(gzip.compress(path.read_bytes()))
    assert bring(db, path).traces == 5
    assert (bring(db, packed).traces, bring(db, packed).known) == (0, 5)
    write_jsonl(path, [native("1", f"text {i}") for i in range(8)])
    grown = bring(db, path)
    assert (grown.traces, grown.known) == (3, 5)
    assert bring(db, path).traces == 0


def test_a_last_line_cut_off_and_completed_later_is_added_once(db: Path, tmp_path: Path) -> None:
    path = write_jsonl(tmp_path / "a.jsonl", [native("1", "one"), native("1", "two")])
    whole = path.read_bytes()
    path.write_bytes(whole[:-20])
    first = bring(db, path)
    assert (first.traces, first.bad_total) == (1, 1)
    path.write_bytes(whole)
    assert bring(db, path).traces == 1


def test_two_broken_gzips_are_two_sources(db: Path, tmp_path: Path) -> None:
    for name in ("a", "b"):
        lines = "".join(json.dumps(native("1", os.urandom(50).hex())) + "\n" for _ in range(1000))
        (tmp_path / name).write_bytes(gzip.compress(lines.encode())[:-5000])
        result = bring(db, tmp_path / name)
        assert result.traces > 0
        assert result.known == 0


def test_a_broken_gzip_gives_what_can_be_read_and_says_where_it_ends(db: Path, tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl.gz"
    lines = "".join(json.dumps(native("1", os.urandom(50).hex())) + "\n" for _ in range(2000))
    packed = gzip.compress(lines.encode())
    path.write_bytes(packed[: len(packed) // 2])
    result = bring(db, path)
    assert 0 < result.traces < 2000
    assert "broken from here on" in result.bad[-1].why


def test_a_line_too_long_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "MAX_LINE_BYTES", 1000)
    path = tmp_path / "a"
    path.write_bytes(b"x" * 5000 + b"\nshort\n" + b"y" * 999 + b"\n" + b"z" * 1000)
    found = list(files.lines(path))
    assert [type(line) for line in found] == [BadLine, Line, Line, BadLine]
    assert [line.number for line in found] == [1, 2, 3, 4]


def test_a_file_of_blank_lines_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "MAX_BLANK_LINES", 10)
    path = tmp_path / "a.gz"
    path.write_bytes(gzip.compress(b"x\n" + b"\n" * 9 + b"y\n" + b"\n" * 100_000))
    found = list(files.lines(path))
    assert [line.number for line in found] == [1, 11, 22]
    assert isinstance(found[-1], BadLine)


def test_a_broken_first_line_does_not_hide_the_format(db: Path, tmp_path: Path) -> None:
    path = write_jsonl(tmp_path / "a.jsonl", [native("1", "one")])
    path.write_text("{broken\n" + path.read_text())
    result = bring(db, path)
    assert (result.traces, [bad.number for bad in result.bad]) == (1, [1])


def test_an_edited_copy_adds_what_is_new_and_tells_of_the_rest(db: Path, tmp_path: Path) -> None:
    lines = [json.dumps(native("1", f"text number {i} " * 30)) for i in range(9)]
    path = tmp_path / "a.jsonl"
    path.write_text("\n".join([*lines[:4], "{broken", *lines[5:]]))
    assert bring(db, path).traces == 8
    path.write_text("\r\n".join(lines))
    mended = bring(db, path)
    assert (mended.traces, mended.copies) == (1, 8)
    assert bring(db, path, again=True).traces == 8


@pytest.mark.parametrize("step_of", [lambda step: {"step": step}, lambda step: {"training_seed": step}])
def test_checkpoints_of_one_name_are_runs_of_their_own(
    db: Path, tmp_path: Path, step_of: Callable[[int], dict[str, object]]
) -> None:
    for step in (100, 200):
        bring(db, write_jsonl(tmp_path / f"{step}.jsonl", [native("1", f"text {step}", **step_of(step))]))
    assert len(runs(db)) == 2
    assert {count.samples for count in counts(db)} == {1}


def test_steps_of_a_table_and_of_the_command_line_make_runs_too(db: Path, tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("model,step,problem,n,correct\nA,150,1,10,5\nA,300,1,10,6\n")
    assert bring(db, path, benchmark="sums").counts == 2
    (tmp_path / "b.csv").write_text("model,problem,n,correct\nA,1,10,7\n")
    assert bring(db, tmp_path / "b.csv", benchmark="sums", set={"step": "450"}).counts == 1
    assert [run.slug for run in runs(db)] == ["a-step-150@sums", "a-step-300@sums", "a-step-450@sums"]


def test_one_bad_item_costs_neither_its_line_nor_its_score_the_sample(db: Path, tmp_path: Path) -> None:
    lines = [harness_line(0, ["a", None, "c"], [True, True, True]), harness_line(1, ["d", "e"], [True, "x"])]  # type: ignore[list-item]
    result = bring(db, write_jsonl(tmp_path / "x.jsonl", lines), model="m")
    assert (result.traces, result.bad_total) == (4, 2)
    assert sum(count.correct for count in counts(db, "x")) == 3


def test_names_with_broken_bytes_are_stored_with_a_mark(db: Path, tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"caf\xe9.jsonl")
    line = json.dumps(native("KEY", "x", level="LEVEL", model="MODEL", settings={"prompt_template": "P"}))
    for mark in ("KEY", "LEVEL", "MODEL", '"P'):
        line = line.replace(mark, mark + "\udce9")
    path.write_bytes(line.encode("utf-8", "surrogateescape"))
    assert bring(db, path).traces == 1
    assert runs(db)[0].model.name == "MODEL?"


def test_numbers_in_names_that_no_study_can_hold_are_sentences(db: Path, tmp_path: Path) -> None:
    path = write_jsonl(tmp_path / f"test_p_-1_seed{2**64}_t0_s0_e-1.jsonl", [harness_line(0, ["a"])])
    with pytest.raises(ImportProblem, match="seed is too large"):
        bring(db, path, model="m")
    huge = json.dumps(native("1", "x", settings={"temperature": 1})).replace('"temperature": 1', f'"temperature": {10**400}')
    path.write_text(huge + "\n" + json.dumps(native("1", "x")))
    assert bring(db, path, format="basebound").bad_total == 1


def test_what_is_no_regular_file_or_no_table_is_a_sentence(db: Path, tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    with pytest.raises(ImportProblem, match="not a regular file"):
        bring(db, fifo)
    for content in ("", "a,b\n1,2\n"):
        (tmp_path / "t.csv").write_text(content)
        with pytest.raises(ImportProblem, match=r"does not begin with|no line"):
            bring(db, tmp_path / "t.csv", format="counts")


def test_a_sidecar_matters_only_to_the_format_that_has_one(db: Path, tmp_path: Path) -> None:
    (tmp_path / "run_config.json").write_text("[]")
    assert bring(db, write_jsonl(tmp_path / "a.jsonl", [native("1", "x")])).traces == 1


def test_unknown_formats_and_missing_files_are_sentences(db: Path, tmp_path: Path) -> None:
    for name, content, what in (("a", '{"x": 1}\n', "of no known format"), ("b", "", "no line"), ("c", "a,b\n", "of no known")):
        path = tmp_path / name
        path.write_text(content)
        with pytest.raises(ImportProblem, match=what):
            bring(db, path)
    with pytest.raises(ImportProblem, match="cannot be read"):
        bring(db, tmp_path / "missing.jsonl")
    with pytest.raises(ImportProblem, match="no format 'xml'"):
        bring(db, tmp_path / "a", format="xml")


def test_the_person_wins_over_the_file(db: Path, tmp_path: Path) -> None:
    path = write_jsonl(tmp_path / "a.jsonl", [native("1", "x", settings={"temperature": 0.6})])
    given = check_set(["temperature=1.0", "step=9", "prompt_template=mine"])
    bring(db, path, model="other", roles={"": Role.RL}, benchmark="mine", set=given, run="named")
    (run,) = runs(db)
    assert (run.slug, run.model.name, run.model.role, run.model.step) == ("named", "other", "rl", 9)
    assert (run.benchmark, run.settings.temperature, run.settings.prompt_template) == ("mine", 1, "mine")


@pytest.mark.parametrize("pair", ["temperature", "colour=red", "temperature=hot", "step=x", "max_tokens=nan"])
def test_settings_that_cannot_be_are_refused(pair: str) -> None:
    with pytest.raises(ImportProblem, match="--set"):
        check_set([pair])


def test_run_names_one_run_only(db: Path, tmp_path: Path) -> None:
    path = write_jsonl(tmp_path / "a.jsonl", [native("1", "x"), native("1", "y", model="another")])
    with pytest.raises(ImportProblem, match="several runs"):
        bring(db, path, run="one")


@pytest.mark.parametrize("name", importers.IMPORTERS)
def test_every_text_format_recognises_its_own_example_and_no_other(name: str, tmp_path: Path) -> None:
    example = importers.load(name).example
    if example.startswith("("):
        pytest.skip("no text: its own tests make such files")
    (tmp_path / "example").write_text(example + "\n")
    file = look(tmp_path / "example")
    first, *others = [importer.name for importer in importers.all_importers() if importer.recognises(file)]
    assert first == name
    assert set(others) <= {"flat"}, "which goes by the usual names, and so comes last"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["text", "correct", "x"]), inner, max_size=3),
    max_leaves=6,
)
fields = [
    "problem", "response", "model", "settings", "tokens", "finish", "idx", "code", "gt", "score", "pred", "question",
    "rollouts", "qid", "gold", "correct", "step", "role", "seed",
]  # fmt: skip


def test_text_that_holds_an_archives_letters_in_their_place_is_no_archive(tmp_path: Path) -> None:
    start = json.dumps(native("1", ""))[:-2]
    path = tmp_path / "a.jsonl"
    path.write_text(start + "x" * (257 - len(start)) + 'ustar"}\n')
    assert path.read_bytes()[257:262] == b"ustar"
    assert bring(tmp_path / "s.db", path, model="m").traces == 1


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    records=st.lists(st.dictionaries(st.sampled_from(fields), json_values, max_size=8) | json_values, max_size=4),
    head=st.sampled_from([native("1", "x"), rollouts(), harness_line(0, ["a"], [True])]),
    noise=st.binary(max_size=20),
)
def test_no_content_crashes_an_import_or_harms_what_was_stored(
    tmp_path_factory: pytest.TempPathFactory, records: list[object], head: dict[str, object], noise: bytes
) -> None:
    folder = tmp_path_factory.mktemp("fuzz")
    path = write_jsonl(folder / "a.jsonl", [head, *records])
    path.write_bytes(path.read_bytes() + noise + b"\n" + json.dumps(head).encode())
    db = folder / "s.db"
    first = bring(db, path, model="m")
    assert first.traces >= 1
    assert bring(db, path, model="m").traces == 0
    assert list(check_structure(db)) == []


_IMPORT = """
import sys
from pathlib import Path
from engine import importing
from engine.importers.base import Options
from engine.importers.looking import look
from store.writer import Writer
importing.BATCH_ITEMS = 50
with Writer(Path(sys.argv[1]), "import") as writer:
    importing.import_file(writer, importing.prepare(look(Path(sys.argv[2])), Options()), lambda at: print(at, flush=True))
"""


def test_an_import_killed_anywhere_and_run_again_is_an_uninterrupted_one(db: Path, tmp_path: Path) -> None:
    path = write_jsonl(tmp_path / "a.jsonl", [native(str(i % 7), f"text {i} " * 20, correct=i % 3 == 0) for i in range(2000)])
    for words_before in (1, 5, 14, 23):
        process = subprocess.Popen(
            [sys.executable, "-c", _IMPORT, str(db), str(path)], cwd=ROOT, stdout=subprocess.PIPE, text=True
        )
        assert process.stdout is not None
        for _ in range(words_before):
            process.stdout.readline()
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
    bring(db, path)
    whole = tmp_path / "whole.db"
    bring(whole, path)
    for one in (db, whole):
        assert list(check_structure(one)) == []
    assert _content(db) == _content(whole)


def _content(db: Path) -> list[tuple[object, ...]]:
    with Study(db) as study:
        rows = study.query("SELECT sample_id, problem.key, idx, source_line FROM sample JOIN problem USING (problem_id)")
        return sorted((key, idx, line, study.trace(sample_id).response) for sample_id, key, idx, line in rows)
