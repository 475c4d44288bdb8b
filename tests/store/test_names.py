"""Links survive any name, slugs are safe everywhere."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.errors import NotFound
from store.names import Link, parse_link, slug_candidates, slugify
from store.types import Model, Run

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
