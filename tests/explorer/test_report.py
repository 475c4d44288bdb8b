"""The report: a stranger's names do nothing in it, every figure says its settings, its numbers are the analyses', and the same
study gives the same bytes.
"""

from __future__ import annotations

import argparse
import csv
import json
import re
import shutil
import sqlite3
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from io import StringIO
from itertools import pairwise
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.analyses.crossover import Crossing, Crossover
from engine.analyses.intervals import curve_bands
from engine.analyses.pairs import compare
from engine.likelihoods import read_pair
from engine.partings import pair_partings
from explorer.commands import report
from explorer.commands.passk import read_boards
from explorer.render.text import visible
from explorer.report.drawing import DARK, LIGHT, spread
from explorer.report.tables import Table, as_csv
from explorer.report.wording import NO_XML, chance, crossing, plain, token
from explorer.report.writing import MARK, require_folder, write
from store.audits import Audit, AuditWriter, Chosen
from store.errors import BaseboundError
from store.reader import Study
from store.types import Likelihood, Model, NewCount, Problem, Role, Run, Settings
from store.writer import SourceFile, Writer
from tests.builders import BASE, RL, answers, problem, run, source
from tests.engine.token_study import token_study
from tests.explorer.test_pictures import drawn_study

DATA = Path(__file__).parents[3] / "shared" / "data"

SCRIPT = '<script>alert("x")</script>'
STRANGE = f"{SCRIPT} $\\frac{{1$ | a*b* _x_ [l](https://example.org) \x1b[31m\u202e\ufffe 漢字 &amp; "
FORMATS = ("html", "md", "json", "csv")
TABLES = {
    "provenance", "sources", "verifiers", "batches", "runs", "counts", "health", "pass_at_k", "pairs", "differences", "sets",
    "standings", "accuracy", "perplexity", "support", "percentiles", "recovery", "partings", "audits", "protocol",
    "cot_pass_at_k", "claims",
}  # fmt: skip


def make(db: Path, out: Path, *more: str) -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--quiet", action="store_true")
    report.add_arguments(parser)
    return report.run(parser.parse_args([str(db), "--out", str(out), "--quiet", *more]))


def strange_study(path: Path) -> Path:
    """Counts of three runs whose names do their worst; the third shares no problem with the others."""
    settings = Settings(temperature=0.6, top_p=0.95, prompt_template=STRANGE + "\n", max_tokens=128, context_cap=256)
    base, rl, alone = (
        Run(Model(name, role=role), f"../{STRANGE}", settings)
        for name, role in ((STRANGE.replace("/", ""), Role.BASE), ("_rl $x$", Role.RL), (f"alone {STRANGE}", Role.RL))
    )
    with Writer(path, "test") as writer:
        name = f"/home/somebody/secret/{STRANGE.replace('/', '')}.csv"
        of = writer.open_source(SourceFile(name, f"format {STRANGE}", f"sha {STRANGE}", 100))
        counts = []
        for line, (key, n, c, d) in enumerate([("1", 16, 0, 12), (STRANGE, 16, 9, 8), ("3", 20, 2, 0), ("4", 16, 16, 16)]):
            counts.append(NewCount(base, Problem(base.benchmark, key), 3 * line + 1, c, n))
            counts.append(NewCount(rl, Problem(base.benchmark, key), 3 * line + 2, d, 16))
            counts.append(NewCount(alone, Problem(base.benchmark, f"other {key}"), 3 * line + 3, d, 16))
        writer.add_counts(of, counts)
    return path


@pytest.fixture(scope="module")
def strange(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("strange")
    assert make(strange_study(folder / "study.db"), folder / "out", "--format", ",".join(FORMATS)) == 0
    return folder / "out"


class Page(HTMLParser):
    """What a page is made of."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.captions: list[str] = []
        self._inside = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag == "figcaption":
            self._inside = True
            self.captions.append("")

    def handle_endtag(self, tag: str) -> None:
        self._inside = self._inside and tag != "figcaption"

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.captions[-1] += data


def test_a_page_needs_no_script_and_nothing_from_elsewhere(strange: Path) -> None:
    page = Page((strange / "report.html").read_text(encoding="utf-8"))
    names = {tag for tag, _ in page.tags}
    assert names.isdisjoint({"script", "iframe", "object", "embed", "link", "img", "image", "form", "base", "foreignobject"})
    for tag, attributes in page.tags:
        assert not [name for name in attributes if name.startswith("on")], tag
        for name in ("href", "xlink:href", "src", "action", "data"):
            assert (attributes.get(name) or "#").startswith("#"), (tag, attributes)
    text = (strange / "report.html").read_text(encoding="utf-8")
    assert "default-src 'none'" in text
    assert re.findall(r"url\((?!#)", text) == []
    assert "@import" not in text


def test_ids_are_unique_and_every_link_leads_somewhere(strange: Path) -> None:
    page = Page((strange / "report.html").read_text(encoding="utf-8"))
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    wanted = {str(of.get(name))[1:] for _, of in page.tags for name in ("href", "xlink:href") if name in of}
    assert wanted - set(ids) == set()


@pytest.mark.parametrize("suffix", [".html", ".md", ".svg"])
def test_what_a_stranger_wrote_is_shown_and_does_nothing(strange: Path, suffix: str) -> None:
    files = [path for path in strange.iterdir() if path.suffix == suffix]
    assert files
    for path in files:
        text = path.read_text(encoding="utf-8")
        assert "<script" not in text.lower()
        assert re.findall(r"[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e\ufffe\uffff]", text) == []
    whole = "".join(path.read_text(encoding="utf-8") for path in files)
    for shown in ("&lt;script&gt;", "⟨U+202E⟩", "␛", "漢字"):
        # A name in a picture is cut in its middle.
        assert shown in whole.replace("\\+", "+") or (suffix == ".svg" and shown != "&lt;script&gt;"), shown


def test_names_in_pictures_are_neither_formulas_nor_left_out(strange: Path) -> None:
    (curves,) = strange.glob("*-pair-1.svg")
    assert " _rl $x$<" in curves.read_text(encoding="utf-8")


def test_a_name_is_no_markdown(strange: Path) -> None:
    text = (strange / "report.md").read_text(encoding="utf-8")
    assert "[l](" not in text
    assert "https://" not in text
    tables = re.findall(r"(?:^\|.*\n)+", text, flags=re.M)
    assert len(tables) > 5
    for table in tables:
        columns = {len(re.findall(r"(?<!\\)\|", line)) for line in table.splitlines()}
        assert len(columns) == 1, table
    pictures = re.findall(r"^!\[.*\]\(([^)]*)\)$", text, flags=re.M)
    assert pictures
    assert [name for name in pictures if not (strange / name).is_file()] == []


def test_every_figure_carries_its_settings_and_an_alternative(strange: Path) -> None:
    page = Page((strange / "report.html").read_text(encoding="utf-8"))
    figures = [attributes for tag, attributes in page.tags if tag == "figure"]
    pictures = [attributes for tag, attributes in page.tags if tag == "svg"]
    assert len(figures) == len(pictures) == len(page.captions) == 4
    assert all(attributes.get("aria-label") for attributes in pictures)
    for caption in page.captions:
        said = caption.replace("\xa0", " ")
        for word in ("k 1", "n 16", "problems 4", "T 0.6", "top-p 0.95", "prompt “", "max tokens 128", "cap 256", "verifier "):
            assert word in said or (word == "k 1" and "k 16" in said), word


def test_pictures_take_the_pages_colours_and_are_whole_files_on_their_own(strange: Path) -> None:
    text = (strange / "report.html").read_text(encoding="utf-8")
    body = text[text.index("<main>") :]
    assert set(re.findall(r"#[0-9a-f]{6}\b", body)) == set(), "a colour that does not follow light and dark"
    assert set(re.findall(r"var\(--([a-z]+)\)", body)) <= {*LIGHT, "face"}
    assert LIGHT.keys() == DARK.keys()
    assert len(set(LIGHT.values())) == len(LIGHT), "one colour is one role"
    for path in strange.glob("*.svg"):
        root = ElementTree.parse(path).getroot()
        assert root.find("{http://www.w3.org/2000/svg}title") is not None
        assert not [one for one in root.iter() if one.tag.endswith("}script")]


def test_where_the_study_lies_is_in_no_file(tmp_path: Path, strange: Path) -> None:
    """The file's name is told, its folder is not; nor that of a source, beyond its own name."""
    for path in strange.iterdir():
        text = path.read_text(encoding="utf-8")
        assert str(strange.parent) not in text, path
        assert "somebody" not in text, path


def test_the_same_study_gives_the_same_bytes_wherever_it_lies(strange: Path, tmp_path: Path) -> None:
    shutil.copy(strange.parent / "study.db", tmp_path / "study.db")
    make(tmp_path / "study.db", tmp_path / "again", "--format", "csv,md,html,json")
    assert {path.name for path in strange.iterdir()} == {path.name for path in (tmp_path / "again").iterdir()}
    for path in strange.iterdir():
        assert path.read_bytes() == (tmp_path / "again" / path.name).read_bytes(), path.name


def as_told(value: object) -> str:
    if isinstance(value, str):
        return visible(value).translate(NO_XML)
    return "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ("=1+1", "'=1+1"), ("@SUM(A1)", "'@SUM(A1)"), ("+x", "'+x"), ("-cmd", "'-cmd"), ("-5", "-5"), ("+1e3", "+1e3"),
        ("a=b", "a=b"), ("a\x1b[31mb", "a␛[31mb"), ("two\nlines", "two\nlines"), (-0.25, "-0.25"), (True, "true"), (None, ""),
    ],
)  # fmt: skip
def test_a_cell_does_nothing_in_a_spreadsheet_and_numbers_stay(value: str | float | bool | None, told: str) -> None:
    [[found]] = csv.reader(StringIO(as_csv(Table("x", ("a",), ({"a": value},))).split("\n", 1)[1], newline="")) or [[""]]
    assert found == told


def test_json_and_csv_say_the_same(strange: Path) -> None:
    document: dict[str, Any] = json.loads((strange / "report.json").read_text(encoding="utf-8"))
    assert document.keys() == TABLES | {"schema"}
    for name in TABLES:
        with (strange / f"{name}.csv").open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        assert rows == [{column: as_told(value) for column, value in row.items()} for row in document[name]], name


def test_numbers_are_those_of_the_analyses(strange: Path) -> None:
    document = json.loads((strange / "report.json").read_text(encoding="utf-8"))
    base_n, base_c, other_n, other_c = [16, 16, 20, 16], [0, 9, 2, 16], [16] * 4, [12, 8, 0, 16]
    bands = curve_bands(base_n, base_c, [1, 2, 4, 8, 16])
    (base,) = [row["run"] for row in document["runs"] if row["role"] == "base"]
    rows = [row for row in document["pass_at_k"] if row["run"] == base]
    assert [row["k"] for row in rows] == bands.ks.tolist()
    assert [row["pass_at_k"] for row in rows] == bands.estimate.tolist()
    assert [row["problems_low"] for row in rows] == bands.problems.low.tolist()
    assert [row["samples_high_all"] for row in rows] == bands.samples.high_all.tolist()
    found = compare(base_n, base_c, other_n, other_c)
    (pair,) = document["pairs"]
    assert (pair["common_k"], pair["difference_k"], pair["p_k"]) == (16, found.difference[-1], found.p_value)
    assert (pair["crossover_verdict"], pair["gap"]) == (found.crossover.verdict.value, found.gap)
    assert sum(pair[name] for name in ("both", "base_only", "other_only", "neither")) == 4
    assert pair["both_low"] <= pair["both_expected"] <= pair["both_high"]
    assert {row["problem"]: row["set"] for row in document["sets"]} == {
        "1": "other_only", STRANGE: "both", "3": "base_only", "4": "both"
    }  # fmt: skip
    assert all(sum(row[name] for name in ("elicited", "created", "lost", "undetermined")) == 4 for row in document["standings"])
    assert sum(row["problems"] for row in document["accuracy"]) == 12


def test_a_tie_is_not_told_with_the_chance_of_something_else() -> None:
    tie = Crossover(Crossing.TIE, None, None, None, 0.66)
    assert crossing(tie, 128) == "tie; probability that base overtakes by k = 128 0.66"
    assert "probability that the other run overtakes" in crossing(tie, 128, "the other run")
    sure = crossing(Crossover(Crossing.CROSSES, 8, 4, None, 0.9), 1024)
    assert sure == "from k = 8 on (95 % 4 to not by 1,024; probability 0.90 by k = 1,024)"


def test_where_n_differ_there_is_a_word_for_the_missing_test(tmp_path: Path) -> None:
    with Writer(tmp_path / "s.db", "test") as writer:
        src = writer.open_source(SourceFile("counts.csv", "test", "4" * 64, 1))
        for role, n in ((Role.BASE, 64), (Role.RL, 32)):
            of = Run(Model(role.value, role=role), "sums")
            writer.add_counts(src, [NewCount(of, Problem("sums", str(i)), 1, i, n) for i in range(8)])
    assert make(tmp_path / "s.db", tmp_path / "out", "--format", "md,json") == 0
    text = (tmp_path / "out" / "report.md").read_text(encoding="utf-8")
    assert "no exact test of the sets, since the runs' n differ" in text
    assert "of the expected sizes" in text
    assert "McNemar's exact p" not in text
    [row] = json.loads((tmp_path / "out" / "report.json").read_text(encoding="utf-8"))["pairs"]
    assert row["mcnemar_p"] is None
    assert row["ndr"] is not None


def test_what_is_not_known_is_empty_not_zero(strange: Path) -> None:
    document = json.loads((strange / "report.json").read_text(encoding="utf-8"))
    assert {row["temperature"] for row in document["runs"]} == {0.6}
    assert {row["min_p"] for row in document["runs"]} == {"unknown"}
    assert {row["step"] for row in document["runs"]} == {None}
    assert {row["with_box"] for row in document["health"]} == {None}


def read_study(path: Path) -> Path:
    """Traces with audit labels and likelihoods, and a run that nobody has judged."""
    with Writer(path, "test") as writer:
        src = source(writer)
        for line, (of, key, correct) in enumerate(
            [(run(), "1", c) for c in (True, False, True)] + [(run(RL), "1", c) for c in (True, False, False)]
            + [(run(Model("lab/idle")), "1", None) for _ in range(2)]
        ):  # fmt: skip
            writer.add_traces(src, answers(["so 4"], start=line + 1, of=of, on=problem(key), correct=correct))
        writer.add_likelihoods(RL, "float64", [Likelihood(1, 1.0, 1.0, 0, 4, -2.0, 0, None)])
    with AuditWriter(path) as writer:
        writer.add(Audit(1, "ann", 1, chosen=Chosen.RANDOM))
        writer.add(Audit(3, "ann", 3, chosen=Chosen.RANDOM))
        writer.add(Audit(1, "judge:m", 3))
    return path


def test_audits_perplexity_and_runs_that_nobody_judged(tmp_path: Path) -> None:
    assert make(read_study(tmp_path / "s.db"), tmp_path / "out", "--format", ",".join(FORMATS)) == 0
    document = json.loads((tmp_path / "out" / "report.json").read_text(encoding="utf-8"))
    assert [(row["auditor"], row["by_model"], row["meaning"]) for row in document["audits"]] == [
        ("ann", False, "sound"), ("ann", False, "unsound"), ("judge:m", True, "unsound")
    ]  # fmt: skip
    # By ann alone, who has read both right answers of base: one of three is sound.
    assert [row["mean"] for row in document["cot_pass_at_k"] if row["k"] == 1] == [pytest.approx(1 / 3)]
    (scored,) = document["perplexity"]
    assert (scored["scorer"], scored["p50"]) == ("rl-7b step 100", pytest.approx(2.718281828**0.5))
    (idle,) = [row for row in document["runs"] if row["model"] == "lab/idle"]
    assert (idle["problems"], idle["n_min"], idle["unjudged"]) == (0, None, 2)
    text = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert ">Audits</h3>" in text
    assert ">Perplexity</h3>" in text


@pytest.fixture(scope="module")
def likely(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("likely")
    assert make(token_study(folder / "s.db").path, folder / "out", "--format", ",".join(FORMATS)) == 0
    return folder / "out"


def test_likelihoods_are_told_by_verdict_with_their_whole_traces(likely: Path) -> None:
    document = json.loads((likely / "report.json").read_text(encoding="utf-8"))
    found = {(row["run"], row["scorer"]): row for row in document["perplexity"]}
    assert len(found) == 4, "both runs under both models"
    row = found["base-7b@sums", "rl-7b step 100"]
    with Study(likely.parent / "s.db") as study:
        (board,) = read_boards(study)
        pair = read_pair(study, board, *board.runs)
    assert pair.other_on_base is not None
    assert (row["p50"], row["median_correct"], row["nats"]) == (
        pair.other_on_base.median, pair.other_on_base.correct.median, pair.other_on_base.nats
    )  # fmt: skip
    assert row["of_correct"] + row["of_incorrect"] == row["responses"]
    assert (row["dtype"], row["temperature"]) == ("float32", 1.0)
    assert row["pooled_no_stop"] == pair.other_on_base.no_stop.pooled != row["pooled"]
    assert {row["truncated"] for row in document["perplexity"]} == {0, 1}
    text = (likely / "report.md").read_text(encoding="utf-8")
    assert "without stop token | whole trace" in text
    assert "1 in 1.4" in text


def test_support_recovery_and_partings_are_those_of_the_analyses(likely: Path) -> None:
    document = json.loads((likely / "report.json").read_text(encoding="utf-8"))
    with Study(likely.parent / "s.db") as study:
        (board,) = read_boards(study)
        pair = read_pair(study, board, *board.runs)
        parted = pair_partings(study, board, *board.runs)
    assert pair.support is not None
    support = {(row["scorer"], row["run"]): row for row in document["support"]}
    assert len(support) == 4, "both ways, each with its null"
    assert support["base-7b@sums", "rl-7b-step-100@sums"]["inside"] == pair.support.inside
    recovery = {(row["judged"], row["problem"]): row for row in document["recovery"]}
    assert len(recovery) == 8
    of = next(one for one in pair.recovery.values() if one.floor is not None)
    key = next(problem.key for problem in board.problems if problem.problem_id == of.problem_id)
    row = recovery["base-7b@sums", key]
    assert of.importance is not None
    assert (row["floor"], row["is_value"], row["is_warning"]) == (of.floor, of.importance.value, of.importance.warning)
    assert [row["link"] for row in document["partings"]] == [str(one.link) for one in parted.traces]
    first = document["partings"][0]
    assert (first["step"], first["steps"], first["token"], first["choice"]) == (2, 3, "Wait", "So")
    assert [float(one) for one in first["per_step"].split()][1] == pytest.approx(first["fall"])
    assert [row["per_step"] != "" for row in document["partings"]].count(True) == 2, "one strip a problem"


def test_a_stranger_s_tokens_are_shown_and_do_nothing(likely: Path, tmp_path: Path) -> None:
    db = tmp_path / "s.db"
    shutil.copy(likely.parent / "s.db", db)
    with sqlite3.connect(db) as raw:
        (first,) = raw.execute(
            "SELECT min(sample_id) FROM sample JOIN problem USING (problem_id) WHERE key = 'lost'"
        ).fetchone()
        raw.execute("DELETE FROM token_score WHERE sample_id = ?", (first,))
    assert make(db, tmp_path / "out", "--format", ",".join(FORMATS)) == 0
    for path in (tmp_path / "out").iterdir():
        text = path.read_text(encoding="utf-8")
        assert re.findall(r"[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e\ud800-\udfff]", text) == [], path
    assert "“So”" not in (tmp_path / "out" / "report.md").read_text(encoding="utf-8")


def test_figures_of_likelihood_say_how_they_were_made(likely: Path) -> None:
    page = Page((likely / "report.html").read_text(encoding="utf-8"))
    told = [caption for caption in page.captions if "erplexity" in caption or "chance" in caption]
    assert len(told) == 2
    assert all("T 0.6" in caption.replace("\xa0", " ") and "verifier math" in caption.replace("\xa0", " ") for caption in told)
    assert {path.name for path in likely.glob("*.svg")} >= {"sums-perplexity.svg", "sums-recovery.svg"}


def test_without_likelihoods_nothing_is_said_of_them(strange: Path) -> None:
    text = (strange / "report.md").read_text(encoding="utf-8")
    assert "What one model finds" not in text
    assert "### Perplexity" not in text
    document = json.loads((strange / "report.json").read_text(encoding="utf-8"))
    assert [document[name] for name in ("perplexity", "support", "percentiles", "recovery", "partings")] == [[]] * 5


def test_a_benchmark_without_pairs_and_one_that_nobody_judged(tmp_path: Path) -> None:
    with Writer(tmp_path / "s.db", "test") as writer:
        src = source(writer)
        writer.add_traces(src, answers(["so 4"], of=run(benchmark="a"), on=problem(benchmark="a")))
        writer.add_traces(src, answers(["so 4"], start=2, of=run(benchmark="b"), on=problem(benchmark="b"), correct=True))
    assert make(tmp_path / "s.db", tmp_path / "out", "--format", "html,json") == 0
    text = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert "Nobody has judged a sample yet" in text
    assert 'id="b-accuracy"' in text
    assert make(tmp_path / "s.db", tmp_path / "one", "--benchmark", "b") == 0
    assert "Nobody has judged" not in (tmp_path / "one" / "report.html").read_text(encoding="utf-8")


def test_without_matplotlib_json_and_csv_are_written_and_the_others_name_the_extra(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    db = strange_study(tmp_path / "s.db")
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(BaseboundError, match=r"matplotlib.*basebound\[report\]"):
        make(db, tmp_path / "out", "--format", "json,md")
    assert not (tmp_path / "out").exists()
    assert make(db, tmp_path / "out", "--format", "csv,json") == 0
    assert (tmp_path / "out" / "pairs.csv").is_file()


def test_a_folder_of_others_is_left_alone(tmp_path: Path) -> None:
    db = strange_study(tmp_path / "s.db")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").write_text("x", encoding="utf-8")
    with pytest.raises(BaseboundError, match=r"holds 'thesis.tex', which no report has put there"):
        make(db, tmp_path / "mine", "--format", "json")
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["thesis.tex"]
    with pytest.raises(BaseboundError, match="is a file"):
        make(db, tmp_path / "mine" / "thesis.tex", "--format", "json")


def test_a_report_takes_the_place_of_an_earlier_one_and_of_one_that_was_killed(tmp_path: Path) -> None:
    out = tmp_path / "a" / "b"
    write(out, {"report.html": "1", "old.svg": "1"})
    (out / ".report-killed").mkdir()
    (out / ".report-killed" / "x").write_text("x", encoding="utf-8")
    write(out, {"report.html": "2", "new.svg": "2"})
    assert {path.name for path in out.iterdir()} == {"report.html", "new.svg", MARK}
    assert (out / "report.html").read_text(encoding="utf-8") == "2"


def test_a_list_that_somebody_has_changed_reaches_nothing_outside(tmp_path: Path) -> None:
    out = tmp_path / "out"
    write(out, {"report.html": "1"})
    (tmp_path / "precious").write_text("x", encoding="utf-8")
    (out / MARK).write_text("../precious\nreport.html\n", encoding="utf-8")
    write(out, {"report.json": "2"})
    assert (tmp_path / "precious").exists()
    assert {path.name for path in out.iterdir()} == {"report.json", MARK}


def test_what_cannot_be_written_leaves_the_earlier_report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "out"
    write(out, {"report.html": "1"})

    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OSError, match="No space left"):
        write(out, {"report.html": "2", "x.svg": "2"})
    assert {path.name: path.read_text(encoding="utf-8") for path in out.iterdir()} == {
        "report.html": "1",
        MARK: "report.html\n",
    }
    require_folder(out)


@given(st.lists(st.floats(0, 100), max_size=14), st.floats(0.1, 20))
def test_labels_keep_their_order_their_distance_and_the_picture(wanted: list[float], gap: float) -> None:
    places = spread(wanted, gap, 0, 100)
    order = sorted(range(len(wanted)), key=lambda at: wanted[at])
    apart = [places[b] - places[a] for a, b in pairwise(order)]
    assert all(distance >= gap - 1e-9 for distance in apart)
    if wanted and gap * (len(wanted) - 1) <= 100:
        assert min(places) >= -1e-9
        assert max(places) <= 100 + 1e-9
    if all(abs(a - b) >= gap for a, b in pairwise(sorted(wanted))):
        assert places == pytest.approx(wanted)


def real_counts(tmp_path: Path) -> Iterator[Path]:
    from explorer import cli

    path = DATA / "limit_of_rlvr_repro" / "nc_table_dev.csv"
    cli.main(["import", str(tmp_path / "s.db"), str(path), "--role", "Qwen2.5-7B=base", "--benchmark", "dev", "--quiet"])
    yield tmp_path / "s.db"


@pytest.mark.skipif(not DATA.is_dir(), reason="the real outputs are not here")
def test_the_published_counts_of_two_models_in_one_command(tmp_path: Path) -> None:
    (db,) = real_counts(tmp_path)
    assert make(db, tmp_path / "out", "--format", "json") == 0
    document = json.loads((tmp_path / "out" / "report.json").read_text(encoding="utf-8"))
    (pair,) = document["pairs"]
    assert (pair["common_k"], pair["problems"], pair["crossover_k"]) == (128, 230, 14)
    assert (pair["both"], pair["base_only"], pair["other_only"], pair["neither"]) == (212, 7, 3, 8)
    with Study(db) as study:
        n = sum(count.n for count in study.counts("dev"))
    assert sum(row["n"] for row in document["counts"]) == n == 460 * 128
    assert document["claims"]


@pytest.mark.parametrize(
    ("value", "told"),
    [(1.0, "100 %"), (0.9999, "100 %"), (0.5, "50 %"), (0.094, "9.4 %"), (1e-4, "0.01 %"), (1e-5, "0.001 %"),
     (1e-9, "1 in 10^9"),
     (0.0, "0 %"), (None, "–")],
)  # fmt: skip
def test_a_chance_is_never_said_by_powers_of_ten_of_percent(value: float | None, told: str) -> None:
    assert chance(value) == told


@given(st.floats(1e-12, 1e12))
def test_no_number_is_written_as_programs_do(value: float) -> None:
    assert not re.search("e[+-]", plain(value))
    if value >= 1e-5:
        assert float(plain(value).replace(",", "")) == pytest.approx(value, rel=0.06)


def test_a_token_that_is_a_line_end_is_seen() -> None:
    assert [token(text, 24) for text in ("\n\n", "\t", " So")] == ["“⏎⏎”", "“␉”", "“ So”"]


def test_line_ends_and_certain_tokens_read_well_in_the_table_of_partings(tmp_path: Path) -> None:
    db = token_study(tmp_path / "s.db").path
    with sqlite3.connect(db) as raw:
        raw.execute("UPDATE piece SET text = char(10) || char(10) WHERE text = 'So'")
    assert make(db, tmp_path / "out", "--format", "html,md") == 0
    for name in ("report.html", "report.md"):
        text = (tmp_path / "out" / name).read_text(encoding="utf-8")
        assert "“⏎⏎”" in text
        assert not re.search(r"\de[+-]\d", text)
        assert "<small></small>" not in text
    assert not [path for path in (tmp_path / "out").glob("*.svg") if "$" in path.read_text(encoding="utf-8")], "no formulas"


def test_what_was_used_stands_with_every_table_of_likelihoods(tmp_path: Path) -> None:
    """The first 4 of each problem are all there; the one with index 7 was kept for its answer."""
    assert make(drawn_study(tmp_path / "part.db", 5), tmp_path / "out", "--format", "md,json") == 0
    text = (tmp_path / "out" / "report.md").read_text(encoding="utf-8")
    assert text.count("of the first 4 samples of each problem") >= 2, "figure and table"
    found = json.loads((tmp_path / "out" / "report.json").read_text(encoding="utf-8"))["perplexity"]
    assert {(row["responses"], row["used"], row["used_responses"]) for row in found} == {
        (8, "the first 4 samples of each problem", 8)
    }


def test_where_fewer_were_scored_than_are_used_it_is_said(likely: Path, tmp_path: Path) -> None:
    db = tmp_path / "s.db"
    shutil.copy(likely.parent / "s.db", db)
    with sqlite3.connect(db) as raw:
        raw.execute("DELETE FROM likelihood WHERE sample_id = (SELECT max(sample_id) FROM likelihood)")
    assert make(db, tmp_path / "out", "--format", "md") == 0
    assert "has scored 15 of the 16 responses" in (tmp_path / "out" / "report.md").read_text(encoding="utf-8")


def person_study(path: Path) -> Path:
    """The token study with a person's solutions in it, which both models have scored."""
    db = token_study(path).path
    person = Run(Model("a person", role=Role.OTHER), "sums")
    with Writer(db, "test") as writer:
        on = [Problem("sums", key, f"What is {key}?", "12") for key in ("lost", "hard")]
        for line, one in enumerate(on):
            writer.add_traces(source(writer, f"solutions {line}"), answers(["\\boxed{12}"], of=person, on=one, correct=True))
    with Study(db) as study:
        ids = [at for (at,) in study.query("SELECT sample_id FROM sample JOIN run USING (run_id) WHERE slug LIKE 'a-person%'")]
    with Writer(db, "test") as writer:
        for model in (BASE, RL):
            writer.add_likelihoods(
                model, "float32", [Likelihood(at, 1.0, 1.0, 0, 4, -2.0, 0, None, retokenized=True) for at in ids]
            )
    return db


def test_a_person_is_not_asked_for_likelihoods(tmp_path: Path) -> None:
    assert make(person_study(tmp_path / "s.db"), tmp_path / "out", "--format", "md") == 0
    text = (tmp_path / "out" / "report.md").read_text(encoding="utf-8")
    assert "a person" in text
    assert "a person has not scored" not in text
