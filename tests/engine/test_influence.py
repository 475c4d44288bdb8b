"""Influence against brute force: every set of labels that could still be given is tried on small comparisons."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.analyses.boundary import fisher
from engine.analyses.clearing import clear_labels, threshold
from engine.analyses.coverage import coverage, least_right
from engine.analyses.influence import Region, Side, outlook
from engine.analyses.many import adjusted
from engine.analyses.passk import pass_at_k
from engine.analyses.turning import Finding, conclude


@st.composite
def sides(draw: st.DrawFn, n: int = 6) -> Side:
    right = draw(st.integers(0, 3))
    sound, unsound, undecided, unread = (draw(st.integers(0, 1)) for _ in range(4))
    unread += draw(st.integers(0, 1))
    c = max(right, sound + unsound + undecided + unread)
    return Side(n, c, sound, unsound, undecided, unread, draw(st.integers(0, min(2, n - c))))


def labellings(side: Side) -> list[tuple[int, int]]:
    """Every (change of what counts, labels it takes): u unread right ones unsound, d doubtful ones right."""
    return [(down + up, abs(down) + up) for down in range(-side.unread, 1) for up in range(side.doubtful + 1)]


def finding(base: list[int], other: list[int], k: int, n: int, level: float) -> Finding:
    keys = [str(place) for place in range(len(base))]
    sets = coverage(keys, n, base, n, other, k)
    return conclude(len(sets.base_only), len(sets.other_only), level).finding


@settings(max_examples=80, deadline=None)
@given(st.lists(st.tuples(sides(), sides()), min_size=1, max_size=2), st.sampled_from([1, 3, 6]), st.booleans())
def test_the_fewest_labels_and_settled_are_what_trying_every_labelling_gives(
    pairs: list[tuple[Side, Side]], k: int, keep: bool
) -> None:
    level = 0.3  # so low that a problem or two turn the finding
    base, other = [one for one, _ in pairs], [two for _, two in pairs]
    now = outlook(base, other, k, level=level, keep_undecided=keep)
    ours, theirs = ([side.counting(keep_undecided=keep) for side in of] for of in (base, other))
    before = finding(ours, theirs, k, 6, level)
    assert now.conclusion.finding is before
    fewest = None
    for changes in product(*(labellings(side) for side in (*base, *other))):
        moved = [right + change for right, (change, _) in zip((*ours, *theirs), changes, strict=True)]
        labels = sum(number for _, number in changes)
        if finding(moved[: len(base)], moved[len(base) :], k, 6, level) is not before:
            fewest = labels if fewest is None else min(fewest, labels)
    assert now.labels_to_change == fewest
    assert now.settled == (fewest is None)


@settings(max_examples=80, deadline=None)
@given(sides(), sides(), st.sampled_from([1, 3, 6]))
def test_an_influence_is_there_exactly_where_labels_on_that_side_alone_move_the_problem(
    base: Side, other: Side, k: int
) -> None:
    now = outlook([base], [other], k)
    for of_base, side in ((True, base), (False, other)):
        counting = side.counting(keep_undecided=True)
        least = least_right(6, k)
        moves = [labels for change, labels in labellings(side) if (counting + change >= least) != (counting >= least)]
        found = [one for one in now.influences if one.of_base == of_base]
        assert [one.labels for one in found] == ([min(moves)] if moves else [])
        assert all(one.before is not one.after for one in found)


def test_least_right_is_where_pass_at_k_reaches_one_half() -> None:
    for n in range(1, 25):
        for k in range(1, n + 1):
            least = least_right(n, k)
            assert pass_at_k(n, least, k) > 0.5 - 1e-12
            assert least == 1 or pass_at_k(n, least - 1, k) < 0.5
    assert least_right(1024, 1024) == 1
    assert least_right(21, 6) == 2


def aime() -> tuple[list[Side], list[Side]]:
    """The paper's AIME24: 19 solved by both, 4 by base only, 7 by neither; base's four by one answer each."""
    both, alone, neither = Side(1024, 300, unread=300), Side(1024, 1, unread=1), Side(1024, 0)
    base = [both] * 19 + [alone] * 4 + [neither] * 7
    return base, [both] * 19 + [neither] * 11


def test_four_base_only_problems_are_no_difference_and_hang_on_single_answers() -> None:
    now = outlook(*aime(), 1024)
    assert (now.conclusion.base_only, now.conclusion.other_only, now.conclusion.p_value) == (4, 0, 0.125)
    first = now.influences[:4]
    assert {(one.labels, one.before, one.after) for one in first} == {(1, Region.BASE_ONLY, Region.NEITHER)}
    assert first[0].conclusion.p_value == 0.25
    assert first[0].consequence == pytest.approx(2)  # one problem, and one bit of evidence
    assert first[0].priority > now.influences[4].priority


def test_one_false_negative_unmakes_base_only_and_comes_first() -> None:
    base, other = aime()
    other[19] = Side(1024, 0, doubtful=1)
    base[19] = Side(1024, 40, unread=40)
    now = outlook(base, other, 1024)
    of_19 = [one for one in now.influences if one.problem == 19]
    assert [(one.of_base, one.right, one.labels, one.after) for one in of_19] == [
        (False, False, 1, Region.BOTH),
        (True, True, 40, Region.NEITHER),
    ]


def test_a_sound_answer_settles_its_side() -> None:
    base, other = aime()
    base[19:23] = [Side(1024, 1, sound=1)] * 4
    now = outlook(base, other, 1024)
    assert 19 not in now.open_problems
    base[:19] = other[:19] = [Side(1024, 300, sound=1, unread=299)] * 19
    now = outlook(base, other, 1024)
    assert now.sets_settled
    assert now.settled


def test_a_significant_finding_is_settled_when_too_few_labels_are_left_to_turn_it() -> None:
    base = [Side(64, 5, sound=1, unread=4)] * 10 + [Side(64, 1, unread=1)] * 2
    other = [Side(64, 0)] * 12
    now = outlook(base, other, 64)
    assert now.conclusion.finding is Finding.BASE_MORE
    assert now.settled
    assert not now.sets_settled  # two problems may still go, but 10 to 0 remains
    shaky = outlook([Side(64, 1, unread=1)] * 6, [Side(64, 0)] * 6, 64)
    assert (shaky.conclusion.p_value, shaky.labels_to_change) == (0.03125, 1)


def test_undecided_answers_count_both_ways() -> None:
    side = Side(8, 1, undecided=1)
    kept, dropped = (outlook([side], [Side(8, 0)], 8, keep_undecided=keep) for keep in (True, False))
    assert (kept.regions, dropped.regions) == ((Region.BASE_ONLY,), (Region.NEITHER,))


def test_swapping_the_runs_swaps_everything() -> None:
    base, other = aime()
    one, two = outlook(base, other, 1024), outlook(other, base, 1024)
    assert one.labels_to_change == two.labels_to_change
    assert {(i.problem, i.of_base, i.labels, i.consequence) for i in one.influences} == {
        (i.problem, not i.of_base, i.labels, i.consequence) for i in two.influences
    }


def test_where_n_differ_nothing_is_found_and_sets_and_labels_alone_order_the_flips() -> None:
    """One model at 256 and 128 samples of 500 problems: no finding, whatever the sets' sizes."""
    rng = np.random.default_rng(4)
    rates = rng.beta(0.3, 3.0, 500)
    base, other = ([Side(n, int(c), unread=int(c)) for c in rng.binomial(n, rates)] for n in (256, 128))
    now = outlook(base, other, 128)
    sizes = now.conclusion.base_only, now.conclusion.other_only
    assert sizes == tuple(now.regions.count(one) for one in (Region.BASE_ONLY, Region.OTHER_ONLY))
    assert conclude(*sizes).finding is Finding.BASE_MORE  # what the sizes would pass for
    assert (now.conclusion.finding, now.conclusion.p_value) == (Finding.CANNOT_TELL, None)
    assert (now.labels_to_change, now.settled) == (None, None)
    assert len(now.influences) > 100
    assert all((one.consequence, one.conclusion.p_value) == (1, None) for one in now.influences)
    assert [one.labels for one in now.influences] == sorted(one.labels for one in now.influences)


def test_more_problems_than_a_p_value_can_tell_apart_still_have_an_order() -> None:
    now = outlook([Side(4, 4, unread=4)] * 1200, [Side(4, 0)] * 1200, 4)
    assert now.conclusion.p_value == 0.0
    assert now.influences[0].labels == 4


def test_counts_that_cannot_be_are_refused() -> None:
    for wrong in ({"c": 5}, {"c": 1, "sound": 1, "unread": 1}, {"c": 3, "doubtful": 2}, {"c": -1}, {"c": 1, "unread": -1}):
        with pytest.raises(ValueError, match="side"):
            Side(4, **wrong)
    with pytest.raises(ValueError, match="same problems"):
        outlook([Side(4, 1)], [], 4)
    with pytest.raises(ValueError, match="k = 5"):
        outlook([Side(4, 1)], [Side(4, 1)], 5)


# -- one problem's evidence ---------------------------------------------------------------------------------------------


@settings(max_examples=100, deadline=None)
@given(st.lists(st.sampled_from([1e-4, 0.01, 0.02, 0.03, 0.05, 0.3, 1.0]), max_size=8))
def test_the_threshold_is_the_largest_p_that_benjamini_and_hochberg_would_let_pass(others: list[float]) -> None:
    limit = threshold(np.array(others))
    assert adjusted([*others, limit])[-1] <= 0.05 + 1e-12
    assert adjusted([*others, min(1.0, limit + 1e-9)])[-1] > 0.05


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 9), st.integers(0, 4), st.integers(0, 9), st.integers(0, 4), st.integers(0, 3), st.integers(0, 3))
def test_clear_labels_are_what_trying_every_labelling_gives(
    base_c: int, other_c: int, base_unread: int, other_unread: int, base_doubtful: int, other_doubtful: int
) -> None:
    n = 14
    base = Side(n, base_c, unread=min(base_unread, base_c), doubtful=base_doubtful)
    other = Side(n, other_c, unread=min(other_unread, other_c), doubtful=other_doubtful)
    rest = [Side(n, 12)], [Side(n, 1)]
    found = clear_labels([base, *rest[0]], [other, *rest[1]], [0])[0]

    def clear(ours: int, theirs: int) -> tuple[bool, bool]:
        q = adjusted(fisher([n, n], [ours, 12], [n, n], [theirs, 1]))[0] <= 0.05
        return bool(q), bool(q and ours > theirs)

    before = clear(base_c, other_c)
    assert found.clear == before[0]
    changed = [
        one + two
        for (up, one), (down, two) in product(labellings(base), labellings(other))
        if clear(base_c + up, other_c + down) != before
    ]
    assert found.labels == (min(changed) if changed else None)


def test_six_successes_are_clear_until_one_goes() -> None:
    found = clear_labels([Side(1024, 6, unread=6)], [Side(1024, 0)], [0])[0]
    assert (found.clear, found.labels) == (True, 1)
    assert clear_labels([Side(1024, 6, sound=6)], [Side(1024, 0)], [0])[0].labels is None
