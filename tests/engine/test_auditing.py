"""Audits over a study: whose labels count and how, the protocol's table, what to read next, labels in and out."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path
from typing import cast

import numpy as np
import pytest

from engine.analyses.influence import Region, Side
from engine.auditing import (
    Ambiguous,
    Chain,
    Rule,
    Undecided,
    audited_run,
    contested,
    cot,
    outlook,
    protocol,
    queue,
    random_stratum,
    read_labels,
)
from engine.auditing.chains import by_protocol, of_set
from engine.auditing.concord import PEOPLE, concord
from engine.auditing.exchange import read_in, rows_out, write_csv, write_in, write_jsonl
from engine.auditing.labels import NOBODY, AuditedRun, Labels, Read, _cells, combined
from engine.auditing.order import listed
from engine.board import Board, read_board
from store.audits import Audit, AuditWriter, Chosen, Meaning, audits
from store.errors import NotFound
from store.reader import Study
from store.rows import RunRow
from store.types import NewCount, Outcome, Verdict
from store.verdicts import Judged
from store.writer import SourceFile, Writer
from tests.builders import RL, problem, run
from tests.engine.audited import BASE_SLUG, REFERENCE, RL_SLUG, label, make, sample

SOUND, UNSOUND, UNDECIDED, CORRECTED = Meaning


def board_of(study: Study) -> tuple[Board, RunRow, RunRow]:
    board = read_board(study, "sums")
    return board, study.find_run(BASE_SLUG), study.find_run(RL_SLUG)


def labels_of(path: Path, *auditors: str, rule: Rule = Rule.UNANIMOUS) -> Labels:
    with Study(path) as study:
        return read_labels(study, "sums", auditors or None, rule)


# -- whose labels, and how combined -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("meanings", "unanimous", "majority"),
    [
        ([SOUND], SOUND, SOUND),
        ([SOUND, SOUND], SOUND, SOUND),
        ([SOUND, UNSOUND], UNDECIDED, UNDECIDED),
        ([SOUND, SOUND, UNSOUND], UNDECIDED, SOUND),
        ([SOUND, SOUND, UNSOUND, UNDECIDED], UNDECIDED, UNDECIDED),
        ([CORRECTED, CORRECTED, UNSOUND], UNDECIDED, CORRECTED),
    ],
)
def test_several_auditors_are_combined_by_the_rule_and_never_by_who_came_last(
    meanings: list[Meaning], unanimous: Meaning, majority: Meaning
) -> None:
    for order in (meanings, meanings[::-1]):
        assert (combined(order, Rule.UNANIMOUS), combined(order, Rule.MAJORITY)) == (unanimous, majority)


def test_models_count_only_where_they_are_named(tmp_path: Path) -> None:
    db = make(tmp_path / "s.db", {"1": (3, 0)})
    label(db, BASE_SLUG, "1", [1], auditor="ann")
    label(db, BASE_SLUG, "1", [2, 2], auditor="judge:m")
    assert (labels_of(db).auditors, len(labels_of(db).reads)) == (("ann",), 1)
    assert labels_of(db).disagreed == 0
    both = labels_of(db, "ann", "judge:m")
    assert (len(both.reads), both.disagreed) == (2, 1)
    assert "ann, judge:m" in both.told
    assert "unanimous, 1 trace in dispute" in both.told
    with pytest.raises(NotFound, match="ann, judge:m"):
        labels_of(db, "nobody")


def test_what_each_label_does_to_the_counts(tmp_path: Path) -> None:
    db = make(tmp_path / "s.db", {"1": (9, 0)}, n=12)
    label(db, BASE_SLUG, "1", [1, 2, 3, 4, 5, 6, 7, 8, None, 7, 6, 1])
    with Study(db) as study:
        board, base, _ = board_of(study)
        labels = read_labels(study, "sums")
        audited = audited_run(study, board, base, labels)
    (side,), (cell,) = audited.sides, audited.cells
    # Nine right: 1 sound, 3 unsound, 2 undecided, 2 wrong after all, 1 unread. Three wrong: two right after all, one "valid".
    assert (side.n, side.c) == (12, 9 - 2 + 2)
    assert (side.sound, side.unsound, side.undecided, side.unread) == (1, 3, 2 + 2, 1)
    assert (cell.up, cell.down, cell.read_right) == (2, 2, 8)
    assert len(labels.wrong_references) == 1


def test_labels_on_what_error_keeps_out_of_n_change_no_number(tmp_path: Path) -> None:
    db = make(tmp_path / "s.db", {"1": (2, 0)})
    with Study(db) as study:
        _, base, _ = board_of(study)
    with Writer(db, "test") as writer:
        place = sample(db, BASE_SLUG, "1", 3), base.run_id, 1
        writer.add_verdicts("math", "1", [Judged(*place, Verdict(Outcome.ERROR, "deadline"))])
    label(db, BASE_SLUG, "1", [None, None, None, 7])
    with Study(db) as study:
        board, base, _ = board_of(study)
        (side,) = audited_run(study, board, base, read_labels(study, "sums")).sides
    assert (side.n, side.c, side.unread) == (3, 2, 2)


def test_right_answers_without_traces_cannot_be_read(tmp_path: Path) -> None:
    db = make(tmp_path / "s.db", {"1": (2, 0)})
    with Writer(db, "test") as writer:
        counts = writer.open_source(SourceFile("c.csv", "test", "c" * 64, 1))
        writer.add_counts(counts, [NewCount(run(RL), problem("1", reference=REFERENCE), 1, 5, 64)])
    with Study(db) as study:
        board, base, rl = board_of(study)
        (side,) = audited_run(study, board, rl, NOBODY).sides
        assert (side.n, side.c, side.unread) == (64, 5, 0)
        (side,) = audited_run(study, board, base, NOBODY).sides
        assert (side.n, side.c, side.unread) == (4, 2, 2)


# -- the protocol and CoT-pass@k ----------------------------------------------------------------------------------------


def test_the_protocols_table_counts_as_the_paper_does(tmp_path: Path) -> None:
    """Shaped as AIME24's: base 5 of 6 with one ambiguous left out, RL 4 of 6; each below 5 %."""
    keys = [f"p{i}" for i in range(8)]
    db = make(tmp_path / "s.db", {key: (1 if i < 7 else 20, 1 if i < 6 else 0) for i, key in enumerate(keys)}, n=21)
    for at, key in enumerate(keys[:7]):
        label(db, BASE_SLUG, key, [1 if at < 5 else 5 if at == 5 else 3])
    for at, key in enumerate(keys[:6]):
        label(db, RL_SLUG, key, [1 if at < 4 else 2])
    with Study(db) as study:
        board, *_ = board_of(study)
        base, rl = protocol(study, board, read_labels(study, "sums"))
    assert (base.left_out, base.kept_in) == ((5, 6), (5, 7))
    assert (rl.left_out, rl.kept_in) == ((4, 6), (4, 6))
    assert (base.audited, base.to_audit, base.stored, base.complete) == (7, 7, 7, True)
    assert base.chains["p5"] is Chain.AMBIGUOUS
    assert "p7" not in base.chains  # 20 of 21: not rare


def test_the_protocol_leaves_open_what_nobody_read_and_one_sound_chain_decides(tmp_path: Path) -> None:
    db = make(tmp_path / "s.db", {"a": (2, 1), "b": (2, 1), "c": (1, 1)}, n=50)
    label(db, BASE_SLUG, "a", [2])
    label(db, BASE_SLUG, "b", [2, 1])
    label(db, BASE_SLUG, "c", [7])
    with Study(db) as study:
        board, run, _ = board_of(study)
        labels = read_labels(study, "sums")
        row, _ = protocol(study, board, labels)
        todo = by_protocol(study, board, labels, [run])
    assert row.chains == {"a": Chain.OPEN, "b": Chain.VALID, "c": Chain.NONE}
    assert (row.audited, row.to_audit, row.complete) == (4, 5, False)
    assert [(item.problem.key, item.index, item.chosen) for item in todo] == [("a", 1, Chosen.PROTOCOL)]


def test_cot_pass_at_k_is_exact_once_all_was_read_and_undecided_ones_show_both_ways(tmp_path: Path) -> None:
    db = make(tmp_path / "s.db", {"1": (2, 0), "2": (1, 0)})
    label(db, BASE_SLUG, "1", [1, 5])
    with Study(db) as study:
        board, base, _ = board_of(study)
        audited = audited_run(study, board, base, read_labels(study, "sums"))
        open_ = cot(audited, [1])
    assert not open_.exact
    assert (open_.curve.low_bound[0], open_.curve.high_bound[0]) == pytest.approx((1 / 8, 3 / 8))
    label(db, BASE_SLUG, "2", [3])
    with Study(db) as study:
        audited = audited_run(study, board, base, read_labels(study, "sums"))
    found = {ambiguous: cot(audited, [1, 4], ambiguous) for ambiguous in Ambiguous}
    assert [found[a].exact for a in (Ambiguous.LEFT_OUT, Ambiguous.SOUND, Ambiguous.UNSOUND)] == [False, True, True]
    assert found[Ambiguous.UNSOUND].curve.mean == pytest.approx([1 / 8, 1 / 2])
    assert found[Ambiguous.SOUND].curve.mean == pytest.approx([2 / 8, 1 / 2])
    assert (found[Ambiguous.UNSOUND].low_share.pooled, found[Ambiguous.SOUND].high_share.pooled) == pytest.approx(
        (1 / 3, 2 / 3)
    )


def test_only_the_random_stratum_is_taken_for_a_sample(tmp_path: Path) -> None:
    db = make(tmp_path / "s.db", {"1": (40, 0)}, n=50)
    label(db, BASE_SLUG, "1", [2] * 10, chosen=Chosen.INFLUENCE)
    with Study(db) as study:
        board, base, _ = board_of(study)
        audited = audited_run(study, board, base, read_labels(study, "sums"))
    assert cot(audited, [1]).curve.mean[0] != cot(audited, [1]).curve.mean[0]  # NaN: bounds alone
    with Study(db) as study, AuditWriter(db) as writer:
        for item in random_stratum(study, board, [base], read_labels(study, "sums"), 12):
            writer.add(Audit(item.sample_id, "ann", 2 if item.index < 10 else 1, chosen=item.chosen))
    with Study(db) as study:
        audited = audited_run(study, board, base, read_labels(study, "sums"))
    (cell,) = audited.cells
    found = cot(audited, [1])
    assert (cell.random, found.random) == (12, 12)
    assert found.curve.low_bound[0] <= found.curve.low[0] <= found.curve.high[0] <= 30 / 50


def test_the_estimate_from_a_random_stratum_holds_the_truth_where_the_verifier_errs() -> None:
    """One right answer in ten is wrong after all, and found to be so where it is read; two of three others are sound."""
    rng = np.random.default_rng(8)
    problems, n, held, error = 40, 64, 0, 0.0
    for seed in range(200):
        judged = rng.integers(4, 60, problems)
        wrong = rng.binomial(judged, 0.1)
        sound = rng.binomial(judged - wrong, 2 / 3)
        sides, cells = [], []
        for c, bad, good in zip(judged, wrong, sound, strict=True):
            meanings = [SOUND] * good + [CORRECTED] * bad + [UNSOUND] * (c - good - bad)
            drawn = rng.choice(len(meanings), 4, replace=False)
            reads = [Read(int(i), 1, 1, Outcome.CORRECT, meanings[i], agreed=True, random=True) for i in drawn]
            cell = _cells(reads)[1, 1]
            right = int(c) - cell.down
            unread = right - cell.sound - cell.unsound
            sides.append(Side(n, right, cell.sound, cell.unsound, unread=unread))
            cells.append(cell)
        keys = tuple(map(str, range(problems)))
        found = cot(AuditedRun(cast(RunRow, None), keys, tuple(sides), tuple(cells)), [1], seed=seed)
        truth = float(sound.mean()) / n
        assert found.random == 4 * problems
        held += bool(found.curve.low[0] <= truth <= found.curve.high[0])
        error += float(found.curve.mean[0]) / truth - 1
    assert held >= 180  # 190 expected, and 132 where those found wrong are left out of the stratum
    assert abs(error / 200) < 0.02


def test_a_wrong_answer_found_right_counts_as_sound_only_where_asked(tmp_path: Path) -> None:
    db = make(tmp_path / "s.db", {"1": (2, 0)})
    label(db, BASE_SLUG, "1", [1, 3, 7], chosen=Chosen.RANDOM)
    with Study(db) as study:
        board, base, _ = board_of(study)
        audited = audited_run(study, board, base, read_labels(study, "sums"))
    assert [cot(audited, [1], one).curve.mean[0] for one in (Ambiguous.SOUND, Ambiguous.UNSOUND)] == pytest.approx(
        [2 / 4, 1 / 4]
    )
    open_ = cot(audited, [1])
    assert np.isnan(open_.curve.mean[0])
    assert open_.curve.low_bound[0] <= open_.curve.high_bound[0]
    assert open_.bounds_only == "2 traces read at random and decided, and an estimate takes 5 at least"


def test_few_traces_at_random_or_a_part_of_the_traces_give_bounds_and_the_reason(tmp_path: Path) -> None:
    db = make(tmp_path / "s.db", {"1": (40, 0)}, n=50)
    label(db, BASE_SLUG, "1", [1] * 4, chosen=Chosen.RANDOM)
    with Study(db) as study:
        board, base, _ = board_of(study)
        few = cot(audited_run(study, board, base, read_labels(study, "sums")), [1])
    assert "4 traces read at random" in str(few.bounds_only)
    label(db, BASE_SLUG, "1", [1] * 5, chosen=Chosen.RANDOM)
    with Study(db) as study:
        audited = audited_run(study, board, base, read_labels(study, "sums"))
    enough, part = cot(audited, [1]), cot(replace(audited, is_part=True), [1])
    assert (enough.bounds_only, np.isnan(enough.curve.mean[0])) == (None, False)
    assert "a part of what was counted" in str(part.bounds_only)
    for one in (few, part):
        assert np.isnan([one.curve.mean[0], one.curve.low[0], one.curve.high[0]]).all()
        assert one.curve.low_bound[0] < one.curve.high_bound[0]
    assert (few.curve.low_bound[0], few.curve.high_bound[0]) == pytest.approx((4 / 50, 40 / 50))


def test_the_random_draw_is_the_same_each_time_and_grows(tmp_path: Path) -> None:
    db = make(tmp_path / "s.db", {"1": (20, 20), "2": (20, 5)}, n=24)
    with Study(db) as study:
        board, base, rl = board_of(study)
        few, more, other_seed = (
            random_stratum(study, board, [base, rl], NOBODY, size, seed) for size, seed in ((10, 0), (30, 0), (10, 1))
        )
    assert more[:10] == few
    assert few != other_seed
    assert len({item.sample_id for item in more}) == 30
    with AuditWriter(db) as writer:
        writer.add(Audit(few[0].sample_id, "ann", 1, chosen=Chosen.RANDOM))
        writer.add(Audit(few[1].sample_id, "ann", 1, chosen=Chosen.INFLUENCE))
    with Study(db) as study:
        left = random_stratum(study, board, [base, rl], read_labels(study, "sums"), 10)
    assert left == few[1:]  # what was read for another reason is asked again, as a draw


# -- what to read next --------------------------------------------------------------------------------------------------


def test_the_queue_starts_where_one_label_moves_a_problem_and_ends_when_none_can(tmp_path: Path) -> None:
    db = make(tmp_path / "s.db", {"alone": (1, 0), "twice": (2, 0), "both": (3, 3), "neither": (0, 0)})
    with Study(db) as study:
        board, base, rl = board_of(study)
        first = queue(study, board, base, rl, suspect=None)
    assert [(item.problem.key, item.run.slug, item.right) for item in first[:3]] == [
        ("alone", BASE_SLUG, True),
        ("twice", BASE_SLUG, True),
        ("twice", BASE_SLUG, True),
    ]
    assert {item.problem.key for item in first} == {"alone", "twice", "both"}
    seen = 0
    while True:  # an auditor who finds everything sound
        with Study(db) as study:
            left = queue(study, board, base, rl, suspect=None, limit=1)
        if not left:
            break
        seen += 1
        with AuditWriter(db) as writer:
            writer.add(Audit(left[0].sample_id, "ann", 1, chosen=left[0].chosen))
    assert seen == 4  # one sound chain settles a side: 1 + 1 + 2, of nine right answers
    with Study(db) as study:
        done = outlook(study, board, base, rl, read_labels(study, "sums"))
    assert done.settled
    assert done.kept.sets_settled


def test_a_doubtful_wrong_answer_of_the_run_that_fails_alone_is_in_the_queue(tmp_path: Path) -> None:
    boxed_before = r"First \boxed{642}, then \boxed{5}."
    db = make(tmp_path / "s.db", {"alone": (3, 0)}, wrong=boxed_before)
    with Study(db) as study:
        board, base, rl = board_of(study)
        items = queue(study, board, base, rl, suspect=None)
        comparison = outlook(study, board, base, rl, read_labels(study, "sums"))
    assert comparison.kept.labels_to_change is None  # one problem is no evidence either way
    assert (items[0].run.slug, items[0].right, items[0].suspicion) == (RL_SLUG, False, 1.0)
    assert items[0].influence is not None
    assert (items[0].influence.labels, items[0].influence.after) == (1, Region.BOTH)
    assert "another box: correct" in items[0].why
    # One label suffices: the side's other doubtful answers come later, behind base's three right ones or beside them.
    assert [item.priority for item in items if not item.right] == pytest.approx([items[0].priority / (1 + i) for i in range(4)])
    label(db, RL_SLUG, "alone", [7])
    with Study(db) as study:
        now = outlook(study, board, base, rl, read_labels(study, "sums"))
    assert now.kept.regions == (Region.BOTH,)


def test_a_lucky_guess_takes_a_problem_out_of_its_set(tmp_path: Path) -> None:
    db = make(tmp_path / "s.db", {"alone": (1, 0), "both": (4, 4)})
    label(db, BASE_SLUG, "alone", [3])
    with Study(db) as study:
        board, base, rl = board_of(study)
        now = outlook(study, board, base, rl, read_labels(study, "sums"))
    assert [now.kept.conclusion.base_only, *now.kept.regions] == [0, Region.NEITHER, Region.BOTH]


def test_suspicion_breaks_ties_only(tmp_path: Path) -> None:
    db = make(tmp_path / "s.db", {"a": (1, 0), "b": (1, 0), "c": (2, 0)})
    scores = {
        sample(db, BASE_SLUG, *at): score for at, score in {("a", 0): 0.1, ("b", 0): 0.9, ("c", 0): 0.5, ("c", 1): 1.0}.items()
    }
    with Study(db) as study:
        board, base, rl = board_of(study)
        items = queue(study, board, base, rl, suspect=lambda _, ids, _verifier: {one: scores[one] for one in ids})
    assert [(item.problem.key, item.index) for item in items] == [("b", 0), ("a", 0), ("c", 1), ("c", 0)]
    assert [item.suspicion for item in items] == [0.9, 0.1, 1.0, 0.5]


def test_a_limited_queue_begins_as_the_whole_one(tmp_path: Path) -> None:
    db = make(tmp_path / "s.db", {str(i): (i % 4, (i + 2) % 3) for i in range(8)})
    with Study(db) as study:
        board, base, rl = board_of(study)
        comparison = outlook(study, board, base, rl, NOBODY)
        whole = listed(study, comparison, None)
        assert [listed(study, comparison, None, limit) for limit in (1, 3, 50)] == [whole[:1], whole[:3], whole[:50]]
    assert len({item.sample_id for item in whole}) == len(whole)


def test_undecided_answers_leave_a_conclusion_open_that_hangs_on_them(tmp_path: Path) -> None:
    db = make(tmp_path / "s.db", {str(i): (1, 0) for i in range(6)})
    for key in range(5):
        label(db, BASE_SLUG, str(key), [1])
    label(db, BASE_SLUG, "5", [5])
    with Study(db) as study:
        board, base, rl = board_of(study)
        now = outlook(study, board, base, rl, read_labels(study, "sums"))
    assert (now.kept.conclusion.p_value, now.dropped.conclusion.p_value) == (0.03125, 0.0625)
    assert now.kept.settled
    assert not now.settled


def test_sets_are_settled_only_where_both_readings_agree_and_the_traces_that_decide_are_named(tmp_path: Path) -> None:
    db = make(tmp_path / "s.db", {"alone": (1, 0), "disputed": (1, 0), "both": (1, 1)})
    label(db, BASE_SLUG, "alone", [5])
    label(db, BASE_SLUG, "disputed", [1])
    label(db, BASE_SLUG, "disputed", [2], auditor="bob")
    label(db, BASE_SLUG, "both", [1])
    label(db, RL_SLUG, "both", [1])
    with Study(db) as study:
        board, base, rl = board_of(study)
        now = outlook(study, board, base, rl, read_labels(study, "sums"))
        assert listed(study, now, None) == []
        found = contested(study, now)
    assert now.kept.sets_settled
    assert now.dropped.sets_settled
    assert not now.sets_settled
    assert [(item.problem.key, item.why.split(":")[0]) for item in found] == [
        ("alone", "undecided"), ("disputed", "auditors disagree"),
    ]  # fmt: skip
    label(db, BASE_SLUG, "alone", [1])
    label(db, BASE_SLUG, "disputed", [2])
    with Study(db) as study:
        now = outlook(study, board, base, rl, read_labels(study, "sums"))
        assert contested(study, now) == []
    assert now.sets_settled


def test_a_finding_that_hangs_on_undecided_traces_of_both_runs_is_not_settled(tmp_path: Path) -> None:
    """As judged 6 to 6, as unsound 0 to 0: both show no difference; but undecided ones of one run alone may be sound."""
    db = make(tmp_path / "s.db", {str(i): (1, 0) if i < 6 else (0, 1) for i in range(12)})
    for i in range(12):
        label(db, BASE_SLUG if i < 6 else RL_SLUG, str(i), [8])
    with Study(db) as study:
        board, base, rl = board_of(study)
        now = outlook(study, board, base, rl, read_labels(study, "sums"))
    assert now.kept.conclusion.finding is now.dropped.conclusion.finding
    assert not now.settled


def test_flips_that_change_the_finding_come_first_and_say_in_which_reading(tmp_path: Path) -> None:
    db = make(tmp_path / "s.db", {str(i): (1, 0) for i in range(7)} | {"both": (1, 1), "other": (0, 1)})
    label(db, BASE_SLUG, "0", [5])
    with Study(db) as study:
        board, base, rl = board_of(study)
        now = outlook(study, board, base, rl, read_labels(study, "sums"))
        items = listed(study, now, None)
    changes = [item.changes_finding for item in items]
    assert changes == sorted(changes, reverse=True)
    for item in items:
        assert item.influence is not None
        of = now.dropped if item.undecided is Undecided.AS_UNSOUND else now.kept
        assert item.changes_finding == (item.influence.conclusion.finding is not of.conclusion.finding)
        assert (item.undecided is None) == ("(undecided" not in item.why)
    assert all(item.undecided for item in items)  # one undecided problem moves p of every flip


def test_where_nothing_is_undecided_no_reading_is_named(tmp_path: Path) -> None:
    db = make(tmp_path / "s.db", {str(i): (1, 0) for i in range(6)} | {"both": (1, 1)})
    with Study(db) as study:
        board, base, rl = board_of(study)
        items = queue(study, board, base, rl, suspect=None)
    assert {item.undecided for item in items} == {None}
    assert [item.changes_finding for item in items[:6]] == [True] * 6
    assert "changes the finding" in items[0].why


def test_samples_lost_everywhere_leave_no_finding_and_the_queue_says_so_without_a_p_value(tmp_path: Path) -> None:
    db = make(tmp_path / "s.db", {str(i): (1, 0) for i in range(6)})
    with Study(db) as study:
        board, base, _ = board_of(study)
    with Writer(db, "test") as writer:
        lost = [
            Judged(
                sample(db, BASE_SLUG, problem.key, index), base.run_id, problem.problem_id, Verdict(Outcome.ERROR, "deadline")
            )
            for problem in board.problems
            for index in (2, 3)
        ]
        writer.add_verdicts("math", "1", lost)
    with Study(db) as study:
        board, base, rl = board_of(study)
        now = outlook(study, board, base, rl, read_labels(study, "sums"))
        items = listed(study, now, None)
    assert (now.settled, now.kept.labels_to_change, now.kept.conclusion.p_value) == (None, None, None)
    assert now.kept.conclusion.base_only == 6
    assert items[0].why == "1 of 1 right answers found unsound: base only → neither"


def test_runs_that_share_no_problem_or_not_that_k_are_told(tmp_path: Path) -> None:
    db = make(tmp_path / "s.db", {"1": (1, 1)})
    with Study(db) as study:
        board, base, rl = board_of(study)
        with pytest.raises(NotFound, match="k = 9"):
            outlook(study, board, base, rl, NOBODY, k=9)


def test_right_answers_of_a_set(tmp_path: Path) -> None:
    db = make(tmp_path / "s.db", {"a": (2, 0), "b": (1, 1)})
    label(db, BASE_SLUG, "a", [1])
    with Study(db) as study:
        board, base, rl = board_of(study)
        found = of_set(study, board, [base, rl], read_labels(study, "sums"), ["a"])
    assert [(item.problem.key, item.index) for item in found] == [("a", 1)]


# -- agreement, in and out ----------------------------------------------------------------------------------------------


def test_agreement_is_told_by_meaning_and_by_label_and_models_stand_apart(tmp_path: Path) -> None:
    db = make(tmp_path / "s.db", {"1": (4, 4)})
    label(db, BASE_SLUG, "1", [1, 2, 1, 3])
    label(db, BASE_SLUG, "1", [1, 3, 1, 3], auditor="bob")
    label(db, BASE_SLUG, "1", [1, 1, 1, 2], auditor="judge:m")
    with Study(db) as study:
        found = concord(study, "sums")
    assert list(found.labelled) == ["ann", "bob", "judge:m"]
    by_names = {(pair.one, pair.other): pair for pair in found.pairs}
    people = by_names["ann", "bob"]
    assert people.labels is not None
    assert (people.meanings.kappa, people.meanings.agreed, people.labels.agreed) == (1.0, 4, 3)
    assert by_names[PEOPLE, "judge:m"].meanings.agreed == 3
    assert found.people is not None
    assert (found.people.alpha, found.people.labels) == (1.0, 8)


def exported(path: Path, *, as_csv: bool = False) -> str:
    file = io.StringIO()
    with Study(path) as study:
        (write_csv if as_csv else write_jsonl)(rows_out(study), file)
    return file.getvalue()


def bring(
    path: Path, text: str, *, as_csv: bool = False, auditor: str | None = None
) -> tuple[int, int, int, list[tuple[int, str]]]:
    with Study(path) as study:
        new, taken = read_in(study, io.StringIO(text, newline=""), is_csv=as_csv, auditor=auditor)
    write_in(path, new)
    return taken.added, taken.there, taken.older, taken.refused


@pytest.mark.parametrize("as_csv", [False, True], ids=["jsonl", "csv"])
def test_labels_go_out_and_come_into_a_copy_as_they_were_and_twice_changes_nothing(tmp_path: Path, as_csv: bool) -> None:
    db, copy = (make(tmp_path / name, {"1": (2, 1), "a/b:c": (1, 0)}) for name in ("s.db", "copy.db"))
    with AuditWriter(db) as writer:
        one = sample(db, BASE_SLUG, "a/b:c", 0)
        writer.add(Audit(one, "ann", 2, step=3, note='two\nlines, "quoted", 漢字', chosen=Chosen.RANDOM))
        writer.add(Audit(sample(db, RL_SLUG, "1", 0), "bob", 1))
        writer.add(Audit(sample(db, RL_SLUG, "1", 0), "bob", None))
    text = exported(db, as_csv=as_csv)
    assert bring(copy, text, as_csv=as_csv) == (1, 1, 0, [])  # bob took his back: there is nothing to take back in the copy
    with Study(copy) as study:
        (row,) = audits(study)
    assert (row.auditor, row.label, row.step, row.note, row.random) == ("ann", 2, 3, 'two\nlines, "quoted", 漢字', True)
    assert bring(copy, text, as_csv=as_csv) == (0, 2, 0, [])
    assert bring(db, text, as_csv=as_csv) == (0, 2, 0, [])
    assert exported(copy).splitlines() == exported(db).splitlines()[:1]


def test_an_old_export_does_not_undo_later_work(tmp_path: Path) -> None:
    db = make(tmp_path / "s.db", {"1": (2, 1)})
    label(db, BASE_SLUG, "1", [2])
    old = exported(db)
    label(db, BASE_SLUG, "1", [1])
    assert bring(db, old)[:3] == (0, 0, 1)
    now = json.loads(exported(db).splitlines()[0])
    assert bring(db, json.dumps(now | {"label": 4}))[:3] == (0, 0, 1)  # of the same moment: what stands stays
    with Study(db) as study:
        assert [row.label for row in audits(study)] == [1]


def test_lines_that_match_nothing_or_say_nothing_are_named(tmp_path: Path) -> None:
    db = make(tmp_path / "s.db", {"1": (2, 1)})
    link = f"{BASE_SLUG}/sums:1/0"
    lines = [
        {"trace": link, "auditor": "ann", "label": 1},
        {"trace": link, "auditor": "ann", "label": 9},
        {"trace": f"{BASE_SLUG}/sums:1/77", "auditor": "ann", "label": 1},
        {"trace": "nobody/sums:1/0", "auditor": "ann", "label": 1},
        {"trace": "", "auditor": "ann", "label": 1},
        {"trace": link, "label": 1},
        {"trace": link, "auditor": "ann", "label": True},
        {"trace": link, "auditor": "ann", "label": 1, "chosen": "luck"},
        {"trace": link, "auditor": "ann", "label": 1, "created": "yesterday"},
    ]
    text = "\n".join([*map(json.dumps, lines), "no json", "[]", ""])
    added, there, older, refused = bring(db, text)
    assert (added, there, older) == (1, 0, 0)
    assert [number for number, _ in refused] == [2, 3, 4, 5, 6, 7, 8, 9, 10, 11]
    said = dict(refused)
    assert "1 to 8" in said[2]
    assert "77" in said[3]
    assert "no run 'nobody'" in said[4]
    assert "--as" in said[6]
    assert bring(db, json.dumps(lines[5]), auditor="bob")[0] == 1


def test_a_hand_written_table_of_labels_comes_in(tmp_path: Path) -> None:
    db = make(tmp_path / "s.db", {"1": (2, 1)})
    text = f"trace,label\r\n{BASE_SLUG}/sums:1/0#4,3\r\n{BASE_SLUG}/sums:1/1,1\r\n"
    assert bring(db, text, as_csv=True, auditor="ann")[0] == 2
    with Study(db) as study:
        assert [(row.label, row.step, row.chosen) for row in audits(study)] == [
            (3, 4, Chosen.IMPORTED),
            (1, None, Chosen.IMPORTED),
        ]
    assert bring(db, text, as_csv=True, auditor="ann")[:2] == (0, 2)
