"""In what base and RL differ besides their weights: what is known and differs is said, what nobody knows is not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from engine.board import read_board
from engine.health import health
from engine.parity import Engine, Side, beyond_settings, differences, unlike, unlike_settings
from store.reader import Study
from store.types import UNKNOWN, Batch, Problem, Prompt, Run, Settings
from store.writer import Writer
from tests.builders import BASE, RL, problem

DRAWN = Settings(
    prompt_template="{problem}", chat_template="none", temperature=0.6, top_p=0.95, top_k=0, min_p=0, repetition_penalty=1,
    max_tokens=100, context_cap=4096, stop="[]", stop_ids="[0]", seed=0,
)  # fmt: skip
FACTS = Batch("vllm", "vllm 0.32.0", "cuda", "bfloat16", "here", "aa" * 32)
PROBLEMS = [problem(str(i)) for i in range(1, 4)]
PROMPTS = {one: Prompt(f"Q {one.key}\nAnswer: ", (5, 6, int(one.key))) for one in PROBLEMS}
SAME = Side(
    "base", DRAWN, {f"sums:{one.key}": prompt for one, prompt in PROMPTS.items()}, frozenset({Engine("vllm", "1", "f")})
)


def said(
    path: Path, settings: Settings = DRAWN, prompts: dict[Problem, Prompt] | None = None, batches: tuple[Batch, ...] = (FACTS,)
) -> list[str]:
    """What differs from the base run in a study where the RL run has these."""
    with Writer(path, "test") as writer:
        writer.open_batch(Run(BASE, "sums", DRAWN), FACTS, PROMPTS)
        for batch in batches:
            writer.open_batch(Run(RL, "sums", settings), batch, PROMPTS if prompts is None else prompts)
    with Study(path) as study:
        base, other = study.runs()
        found = differences(study, base, other)
        labels = health(study, read_board(study, "sums"))[1]
        assert [label for label in labels if label in found] == found, "there they stand as well, once"
        sentences = [sentence.removeprefix(f"{base.slug} and {other.slug} ") for sentence in found]
        beyond = [sentence for sentence in sentences if not sentence.startswith("differ in")]
        assert beyond_settings(study, base, other) == beyond
    return sentences


def test_runs_asked_and_drawn_alike_are_not_labelled(tmp_path: Path) -> None:
    assert said(tmp_path / "s.db") == []
    assert said(tmp_path / "t.db", replace(DRAWN, seed=7)) == [], "seeds are meant to differ"


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("prompt_template", "{problem}\nBox it.", "differ in prompt_template: {problem} against {problem}\\nBox it."),
        ("chat_template", "sha256:12", "differ in chat_template: none against sha256:12"),
        ("temperature", 1.0, "differ in temperature: 0.6 against 1.0"),
        ("top_p", 1, "differ in top_p: 0.95 against 1"),
        ("top_k", 20, "differ in top_k: 0 against 20"),
        ("min_p", 0.1, "differ in min_p: 0 against 0.1"),
        ("repetition_penalty", 1.05, "differ in repetition_penalty: 1 against 1.05"),
        ("max_tokens", 50, "differ in max_tokens: 100 against 50"),
        ("context_cap", 90, "differ in context_cap: 4096 against 90"),
        ("stop", '["User:"]', 'differ in stop: [] against ["User:"]'),
        ("stop_ids", "[0,7]", "differ in stop_ids: [0] against [0,7]"),
    ],
)
def test_each_setting_that_differs_is_said(tmp_path: Path, name: str, value: object, sentence: str) -> None:
    assert said(tmp_path / "s.db", replace(DRAWN, **{name: value})) == [sentence]  # type: ignore[arg-type]
    assert said(tmp_path / "t.db", replace(DRAWN, **{name: UNKNOWN})) == [], "unknown is not different"


def test_a_cap_that_no_response_reaches_is_said_to_cut_nothing(tmp_path: Path) -> None:
    (idle,) = said(tmp_path / "s.db", replace(DRAWN, context_cap=103))  # a prompt of 3 tokens, and 100
    assert idle == "differ in context_cap: 4096 against 103, which cuts nothing: the longest prompt and max_tokens fit in both"
    (cuts,) = said(tmp_path / "t.db", replace(DRAWN, context_cap=102))
    assert cuts == "differ in context_cap: 4096 against 102"


def test_prompts_that_part_are_counted_and_the_first_place_is_shown(tmp_path: Path) -> None:
    changed = PROMPTS | {PROBLEMS[1]: Prompt("Q 2\nAnswer:", (5, 6)), PROBLEMS[2]: Prompt("Q 3!\nAnswer: ", (5, 8, 3))}
    (sentence,) = said(tmp_path / "s.db", prompts=changed)
    assert sentence == (
        "are prompted differently on 2 of 3 problems, first sums:2: at token 3 of 3 and 2, id 2 against none;"
        " “Q 2\\nAnswer: ” against “Q 2\\nAnswer:”"
    )


def test_a_first_token_that_one_tokenizer_adds_is_seen_though_the_texts_are_the_same(tmp_path: Path) -> None:
    with_bos = {one: replace(prompt, ids=(1, *prompt.ids)) for one, prompt in PROMPTS.items()}
    (sentence,) = said(tmp_path / "s.db", prompts=with_bos)
    assert "on 3 of 3 problems, first sums:1: at token 1 of 3 and 4, id 5 against 1; the texts are the same" in sentence


def test_only_the_problems_both_have_are_held_against_each_other(tmp_path: Path) -> None:
    assert said(tmp_path / "s.db", prompts={PROBLEMS[0]: PROMPTS[PROBLEMS[0]], problem("9"): Prompt("Q 9", (9,))}) == []


def test_long_prompts_are_shown_where_they_part_only() -> None:
    long = {"sums:1": Prompt("a" * 500 + "b" + "c" * 500, (1,))}, {"sums:1": Prompt("a" * 500 + "d" + "c" * 500, (2,))}
    (sentence,) = unlike(replace(SAME, prompts=long[0]), replace(SAME, prompts=long[1]))
    assert f"“…{'a' * 24}b{'c' * 23}…” against “…{'a' * 24}d{'c' * 23}…”" in sentence


def test_ids_that_a_server_did_not_tell_are_unknown_and_its_texts_are_compared() -> None:
    told = replace(SAME, prompts={name: replace(prompt, ids=()) for name, prompt in SAME.prompts.items()})
    assert unlike(SAME, told) == unlike(told, SAME) == []
    (sentence,) = unlike(SAME, replace(told, prompts={"sums:1": Prompt("Q 1", ())}))
    assert sentence.startswith("base and base are prompted differently on 1 of 1 problem, first sums:1: “Q 1\\nAnswer: ”")


def test_other_tokenizers_are_told_and_their_ids_not_compared(tmp_path: Path) -> None:
    other_ids = {one: replace(prompt, ids=(9, 9)) for one, prompt in PROMPTS.items()}
    (sentence,) = said(tmp_path / "s.db", prompts=other_ids, batches=(replace(FACTS, vocabulary="bb" * 32),))
    assert sentence.startswith("have other tokenizers, vocabulary aaaaaaaaaaaa against bbbbbbbbbbbb")
    unknown = (replace(FACTS, vocabulary=UNKNOWN),)
    assert said(tmp_path / "t.db", batches=unknown) == [], "a server that does not tell"


def test_engines_that_differ_are_told_by_how_much_that_matters(tmp_path: Path) -> None:
    sampler = replace(FACTS, sampler="transformers", version="transformers 5.19.0", dtype="float32")
    assert said(tmp_path / "s.db", batches=(sampler,)) == [
        "were drawn by different engines: vllm against transformers",
        "may differ by rounding: dtype bfloat16 against float32",
    ]
    soft = replace(FACTS, version="vllm 0.33.0", detail="tensor parallel 2")
    assert said(tmp_path / "t.db", batches=(soft,)) == [
        "may differ by rounding: version vllm 0.32.0 against vllm 0.33.0; detail none against tensor parallel 2"
    ]
    assert (
        said(tmp_path / "u.db", batches=(FACTS, sampler))[0]
        == "were drawn by different engines: vllm against transformers + vllm"
    )
    elsewhere = replace(FACTS, host="there", device="another card")
    assert said(tmp_path / "v.db", batches=(elsewhere,)) == []


def test_what_is_planned_is_held_against_what_is_there() -> None:
    planned = Side("rl", replace(DRAWN, temperature=1.0), SAME.prompts)
    assert unlike(SAME, planned) == ["base and rl differ in temperature: 0.6 against 1.0"], "nothing is known of its engine"
    assert [one.name for one in unlike_settings(DRAWN, planned.settings)] == ["temperature"]
