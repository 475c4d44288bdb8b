"""Links survive any name, slugs are safe everywhere."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.errors import NotFound
from store.names import Link, parse_link, run_names, slug_candidates, slugify
from store.types import Model, Run, Settings

names = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)


@given(slug=names, benchmark=names, key=names, index=st.integers(0, 10**9), step=st.none() | st.integers(1, 10**6))
def test_a_link_is_read_back_as_it_was_written(slug: str, benchmark: str, key: str, index: int, step: int | None) -> None:
    link = Link(slug, benchmark, key, index, step)
    assert parse_link(str(link)) == link
    assert re.fullmatch(r"[A-Za-z0-9._~@%:/#-]+", str(link))


def test_shorter_links_and_readable_ones() -> None:
    assert str(Link("base@aime24", "aime24", "16", 873, 3)) == "base@aime24/aime24:16/873#3"
    assert parse_link("base@aime24") == Link("base@aime24")
    assert parse_link("base/aime24:16") == Link("base", "aime24", "16")


@pytest.mark.parametrize("text", ["", "/", "a/b", "a/b:c/x", "a/b:c/1#", "a/b:c/1/2", "a b/c:d/-1", "a/b:c/1#1#1"])
def test_what_is_no_link_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(NotFound, match="a link looks like"):
        parse_link(text)


@given(name=st.text(), revision=st.text(), benchmark=st.text())
def test_slug_candidates_are_safe_and_end_with_one_that_is_unique(name: str, revision: str, benchmark: str) -> None:
    run = Run(Model(name, revision), benchmark)
    candidates = slug_candidates(run)
    assert all(re.fullmatch(r"[a-z0-9._@-]+", slug) for slug in candidates)
    assert run.key in candidates[-1]


def test_slugify_keeps_what_people_read() -> None:
    assert slugify("Qwen2.5-7B Instruct/1M") == "qwen2.5-7b-instruct-1m"


def test_runs_of_one_model_are_told_apart_by_what_was_set_otherwise() -> None:
    base, rl = Model("lab/base"), Model("lab/rl", "sha256:0123456789abcdef", step=40)
    cold, warm = Settings(temperature=0.6, top_p=0.95), Settings(temperature=1.0, top_p=1.0)
    assert run_names([(base, cold), (rl, cold)]) == ["base", "rl step 40"]
    assert run_names([(base, cold), (base, warm), (rl, cold)]) == ["base T 0.6", "base T 1", "rl step 40"]
    assert run_names([(base, cold), (base, replace(cold, top_p=0.9)), (base, warm)]) == [
        "base T 0.6 top-p 0.95",
        "base T 0.6 top-p 0.9",
        "base T 1",
    ]
    assert run_names([(base, cold), (base, cold)]) == ["base #1", "base #2"]


@given(st.lists(st.tuples(st.sampled_from(["a", "b"]), st.sampled_from([0.6, 1.0]), st.sampled_from([0, 1, 2])), max_size=8))
def test_no_two_runs_of_a_benchmark_have_one_name(kinds: list[tuple[str, float, int]]) -> None:
    found = run_names([(Model(name), Settings(temperature=t, seed=seed)) for name, t, seed in kinds])
    assert len(set(found)) == len(kinds)


@pytest.mark.parametrize(
    ("model", "slug"),
    [
        (Model("lab/rl", "sha256:0123456789abcdef", step=40), "rl-step-40@b"),
        (Model("lab/rl", "sha256:0123456789abcdef"), "rl@b"),
        (Model("lab/rl", "4f2c1e7a9b3d55"), "rl-4f2c1e7a9b3d@b"),
        (Model("lab/rl", "main", step=40), "rl@b"),
    ],
)
def test_a_content_digest_is_no_part_of_a_readable_slug(model: Model, slug: str) -> None:
    assert slug_candidates(Run(model, "b"))[0] == slug
