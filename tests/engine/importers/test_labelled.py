"""Labels that people gave come in with the chains they are about: as audits and marked steps, once."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from engine.steps import split_steps
from explorer import cli
from store.audits import Chosen, audits
from store.reader import Study

STEPS = [
    ["There are 3 boxes.", "Each has 4 pens."],
    ["1. So 3 + 4 = 7.\n\nThat is all the pens."],
    ["Twice 7 is 12, the answer."],
]
RIGHT = {"model_output_answer_correctness": "correct"}


def judged(solution: str, error: object = "N/A", **more: object) -> dict[str, object]:
    said = {"model_output_solution_correctness": solution, "model_output_solution_first_error_step": error}
    of = {"question": f"How many pens? {solution} {error}", "ground_truth_answer": 12, "generator": "some-13b"}
    return {**of, "model_output_step_format": STEPS, **RIGHT, **said, **more}


def imported(tmp_path: Path, rows: list[dict[str, object]], *more: str) -> Study:
    file = tmp_path / "people.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    assert cli.main(["import", str(tmp_path / "study.db"), str(file), "--quiet", *more]) == 0
    return Study(tmp_path / "study.db")


def marks(study: Study) -> list[tuple[int, int, str]]:
    return study.query("SELECT sample_id, step, text FROM mark WHERE kind = 'step' ORDER BY sample_id, step")


def test_a_right_answer_is_labelled_by_its_solution(tmp_path: Path) -> None:
    with imported(tmp_path, [judged("correct"), judged("wrong", 2)]) as study:
        found = [(row.auditor, row.label, row.step, row.chosen) for row in audits(study)]
    assert found == [("people", 1, None, Chosen.IMPORTED), ("people", 2, 2, Chosen.IMPORTED)]


def test_a_wrong_answer_gets_its_marked_step_and_no_label(tmp_path: Path) -> None:
    row = judged("wrong", 3, model_output_answer_correctness="wrong", model_output_solution_first_error_reason="Twice 7 is 14.")
    with imported(tmp_path, [row]) as study:
        assert audits(study) == []
        ((sample_id, step, text),) = marks(study)
        response = study.trace(sample_id).response
    start = split_steps(response)[step - 1].start
    assert response[start:].startswith(
        "Twice 7 is 12"
    )  # the file's third step is the fourth here: its second has two paragraphs
    assert text == "Twice 7 is 14."


def test_steps_rated_below_one_are_marked(tmp_path: Path) -> None:
    row: dict[str, object] = {"question": "How many pens?", "model_output_steps": ["a", "b", "c"], "rating": [1, 0, -1]}
    with imported(tmp_path, [row], "--model", "m") as study:
        assert [(step, text[:8]) for _, step, text in marks(study)] == [(2, "rated 0:"), (3, "rated -1")]


def test_flagged_chains(tmp_path: Path) -> None:
    rows: list[dict[str, object]] = [
        {"question": f"q{flag}{right}", "answer": "#1. so it is 3", "final_answer": 3, "correct": right, "flag": flag}
        for flag, right in ((1, True), (0, True), (0, False))
    ]
    with imported(tmp_path, rows, "--model", "m") as study:
        assert [row.label for row in audits(study)] == [1, 2]
        assert [study.trace(sample).row.outcome for sample in (1, 2, 3)] == ["correct", "correct", "incorrect"]


def test_the_same_file_again_says_nothing_twice(tmp_path: Path) -> None:
    rows = [judged("correct"), judged("wrong", 2)]
    with imported(tmp_path, rows) as study:
        before = study.query("SELECT * FROM audit"), marks(study)
    with imported(tmp_path, rows) as study:
        assert (study.query("SELECT * FROM audit"), marks(study)) == before


@pytest.mark.parametrize("steps", [[], "no list", [None], [[3]]])
def test_steps_that_are_none_are_one_bad_line(tmp_path: Path, steps: object) -> None:
    good, bad = judged("correct"), judged("wrong", 1) | {"model_output_step_format": steps}
    file = tmp_path / "people.jsonl"
    file.write_text(json.dumps(good) + "\n" + json.dumps(bad) + "\n", encoding="utf-8")
    assert cli.main(["import", str(tmp_path / "study.db"), str(file), "--quiet"]) == 1
    with Study(tmp_path / "study.db") as study:
        assert len(audits(study)) == 1
