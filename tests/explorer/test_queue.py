"""The audit queue, driven by keys: what is listed, on to the next by itself, and nothing that unblinds."""

from __future__ import annotations

import shlex
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import pytest

from explorer.app import BaseboundApp
from explorer.model.queue import By, Listing, offered, read_listing, read_standing
from explorer.model.session import Pair, Session
from explorer.render import auditing
from explorer.render.pieces import width_of
from explorer.screens.audit import AuditScreen
from explorer.screens.help import help_lines
from explorer.screens.problems import ProblemsScreen
from explorer.screens.queue import QueueScreen
from explorer.widgets.virtual_list import VirtualList
from store.audits import Audit, AuditWriter, Chosen, audits
from store.marks import Kind, Mark, MarkWriter
from store.reader import Study
from tests.engine.audited import BASE_SLUG, RL_SLUG, make, sample
from tests.explorer.driving import Driver, crumbs, driven, press, said, settle, shown, top

RIGHTS = {"a": (1, 0), "b": (2, 1), "c": (3, 3), "d": (0, 1)}
"""Right answers of base and RL of four samples: base only, both, both, RL only."""

HIDDEN = ("base", "RL", "rl-", "7b", "step 100", "correct", "✓", "✗", "reference 642", "bob", "guess?", "file ", "sample #")
"""What blind mode must not show: names, roles, verdicts, scores, what another auditor said."""


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("queue") / "study.db", RIGHTS)


@pytest.fixture
def db(template: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(template, tmp_path / "study.db"))


def app(path: Path, auditor: str = "ann") -> BaseboundApp:
    return BaseboundApp(Session.open(path, auditor=auditor))


def labels_of(path: Path) -> list[tuple[str, int | None, Chosen]]:
    with Study(path) as study:
        return [(row.auditor, row.label, row.chosen) for row in audits(study)]


@contextmanager
def opened(path: Path, auditor: str = "ann", *, blind: bool = False) -> Iterator[tuple[Session, Pair]]:
    with Session.open(path, auditor=auditor) as session:
        session.labels.blind = blind
        pair = session.pair("sums")
        assert pair is not None
        yield session, pair


def listing(path: Path, by: By, auditor: str = "ann", *, blind: bool = False) -> Listing:
    with opened(path, auditor, blind=blind) as (session, pair):
        return read_listing(session, pair, by, read_standing(session, pair), pair.board.problems[1])


def keys(found: Listing) -> list[tuple[str, str, int]]:
    return [(entry.item.problem.key, entry.item.run.slug, entry.item.index) for entry in found.entries]


# -- what is listed -----------------------------------------------------------------------------------------------------


def test_the_most_consequential_come_first_and_judged_ones_last(db: Path) -> None:
    found = listing(db, By.INFLUENCE)
    assert {key for key, _, _ in keys(found)[:4]} == {"a", "b", "d"}
    assert (found.judged, len(found.entries), found.far) == (0, 11, 0)
    with AuditWriter(db) as writer:
        writer.add(Audit(sample(db, BASE_SLUG, "a", 0), "ann", 1))
        writer.add(Audit(sample(db, RL_SLUG, "d", 0), "bob", 2))
    found = listing(db, By.INFLUENCE)
    assert (found.judged, len(found.entries)) == (2, 11)
    assert [entry.judged for entry in found.entries] == [False] * 9 + [True] * 2
    judged = {entry.item.problem.key: (entry.own, entry.others) for entry in found.entries[-2:]}
    assert judged == {"a": (1, ()), "d": (None, (("bob", 2),))}


def test_what_nothing_hangs_on_any_more_is_not_asked_for(db: Path) -> None:
    with AuditWriter(db) as writer:
        writer.add(Audit(sample(db, BASE_SLUG, "c", 1), "ann", 1))
    found = listing(db, By.INFLUENCE)
    asked = [key for key, entry in zip(keys(found), found.entries, strict=True) if not entry.judged]
    assert ("c", BASE_SLUG, 0) not in asked, "base has a sound answer: c cannot be lost"
    assert (found.judged, len(found.entries)) == (1, 9)


def test_blind_counts_ones_own_labels_alone(db: Path) -> None:
    with AuditWriter(db) as writer:
        writer.add(Audit(sample(db, BASE_SLUG, "a", 0), "bob", 2))
    assert listing(db, By.INFLUENCE).judged == 1
    assert listing(db, By.INFLUENCE, blind=True).judged == 0
    assert listing(db, By.INFLUENCE, "bob", blind=True).judged == 1


def test_two_auditors_read_the_same_stratum_and_random_says_so(db: Path) -> None:
    first, second = (listing(db, By.RANDOM, name, blind=True) for name in ("ann", "bob"))
    assert keys(first) == keys(second)
    assert {entry.item.chosen for entry in first.entries} == {Chosen.RANDOM}
    assert len(first.entries) == 11
    with AuditWriter(db) as writer:  # labelled for another reason: drawn all the same, and still to be read
        writer.add(Audit(first.entries[0].sample_id, "ann", 1, chosen=Chosen.INFLUENCE))
    assert listing(db, By.RANDOM).judged == 0
    with AuditWriter(db) as writer:
        writer.add(Audit(first.entries[0].sample_id, "ann", 1, chosen=Chosen.RANDOM))
    assert listing(db, By.RANDOM).judged == 1


@pytest.mark.parametrize("by", [By.INFLUENCE, By.RANDOM, By.PROTOCOL, By.PROBLEM])
def test_no_order_tells_the_run_in_blind_mode(tmp_path: Path, by: By) -> None:
    path = make(tmp_path / "many.db", dict.fromkeys("abcdefgh", (5, 5)), n=120)
    runs = [entry.item.run.slug for entry in listing(path, by, blind=True).entries]
    assert len(set(runs)) == 2
    changes = sum(one != two for one, two in pairwise(runs))
    assert changes > len(runs) / 4, "in blocks by run, there would be a change or two for each problem"
    assert runs == [entry.item.run.slug for entry in listing(path, by, blind=True).entries]


def test_the_protocol_one_problem_and_flags(db: Path, tmp_path: Path) -> None:
    rare = make(tmp_path / "rare.db", {"a": (1, 0), "b": (9, 0)}, n=60)
    assert keys(listing(rare, By.PROTOCOL)) == [("a", BASE_SLUG, 0)]
    assert {key for key, _, _ in keys(listing(db, By.PROBLEM))} == {"b"}
    assert listing(db, By.FLAGGED).why_empty.startswith("nothing is flagged")
    with MarkWriter(db) as writer:
        writer.add(Mark(sample(db, RL_SLUG, "c", 3), "bob", Kind.FLAG))
    assert keys(listing(db, By.FLAGGED)) == [("c", RL_SLUG, 3)]
    assert listing(db, By.FLAGGED, blind=True).entries == ()


def test_one_run_alone_has_its_queue_too(tmp_path: Path) -> None:
    from tests.explorer.test_audit import one_run

    path = one_run(tmp_path / "one.db")
    with opened(path) as (session, pair):
        assert By.INFLUENCE not in offered(pair, None)
        standing = read_standing(session, pair)
        assert "one run alone" in standing.why
        assert len(read_listing(session, pair, By.RANDOM, standing).entries) == 2


# -- on the screen ------------------------------------------------------------------------------------------------------


async def test_a_digit_labels_and_the_next_unread_one_comes_by_itself(db: Path) -> None:
    async with driven(app(db), "a") as pilot:
        queue = top(pilot, QueueScreen)
        assert "0 of 11 judged" in crumbs(pilot)
        assert queue.listing is not None
        order = [entry.sample_id for entry in queue.listing.entries]
        await press(pilot, "enter")
        screen = top(pilot, AuditScreen)
        shown_ids = []
        for digit in "1283":
            assert screen.trace is not None
            shown_ids.append(screen.trace.row.sample_id)
            await press(pilot, digit)
        assert shown_ids[0] == order[0]
        assert len(set(shown_ids)) == 4
        places = [order.index(one) for one in shown_ids]
        assert places == sorted(places)
        assert "4 of" in crumbs(pilot)
        assert "3 guess on b #0 · u takes it back" in crumbs(pilot)
    assert labels_of(db) == [("ann", digit, Chosen.INFLUENCE) for digit in (1, 2, 8, 3)]


async def test_space_skips_and_what_was_skipped_comes_again(db: Path) -> None:
    async with driven(app(db), "a", "tab", "enter") as pilot:
        screen = top(pilot, AuditScreen)
        first = screen.walk.trace.sample_id
        await press(pilot, "space")
        assert screen.walk.trace.sample_id != first
        for _ in range(10):
            await press(pilot, "1")
        assert top(pilot, AuditScreen).walk.trace.sample_id == first
        await press(pilot, "space")
        assert screen.said == "this is the last unread trace of the queue"
        await press(pilot, "1")
        queue = top(pilot, QueueScreen)
        assert "Done: all right answers that are stored were drawn and judged." in said(pilot, "#standing").replace("\n", " ")
        standing = said(pilot, "#standing").replace("\n", "")  # a path longer than the terminal is wide goes on below
        assert f"basebound audit agreement {db}basebound audit export {db} --out labels.csv" in standing
        assert queue.listing is not None
        assert queue.listing.judged == 11
        assert "■ base 6 of 6 drawn and decided are sound" in said(pilot, "#standing")
    assert {chosen for _, _, chosen in labels_of(db)} == {Chosen.RANDOM}


async def test_u_goes_back_to_the_trace_and_on_from_there(db: Path) -> None:
    async with driven(app(db), "a", "enter") as pilot:
        screen = top(pilot, AuditScreen)
        first = screen.walk.trace.sample_id
        await press(pilot, "2")
        second = screen.walk.trace.sample_id
        await press(pilot, "3", "u")
        assert (screen.walk.trace.sample_id, "1 of" in crumbs(pilot)) == (second, True)
        await press(pilot, "u")
        assert (screen.walk.trace.sample_id, "0 of" in crumbs(pilot)) == (first, True)
        await press(pilot, "u")
        assert "nothing left to take back" in crumbs(pilot)
        await press(pilot, "1")
        assert screen.walk.trace.sample_id == second
    assert labels_of(db) == [("ann", 1, Chosen.INFLUENCE)]


async def test_u_in_the_queue_takes_back_and_the_counts_follow(db: Path) -> None:
    async with driven(app(db), "a", "enter", "2", "escape") as pilot:
        queue = top(pilot, QueueScreen)
        assert "1 of" in crumbs(pilot)
        await press(pilot, "u")
        assert queue.said.startswith("took back 2 cancelling errors of ")
        assert "0 of 11 judged" in crumbs(pilot)
        await press(pilot, "3")
        assert "Enter reads this one" in queue.said
    assert labels_of(db) == []


async def test_labels_change_what_the_queue_says_of_the_sets(db: Path) -> None:
    async with driven(app(db), "a") as pilot:
        assert "■ base only 1 · " in said(pilot, "#standing")
        queue = top(pilot, QueueScreen)
        assert queue.listing is not None
        place = keys(queue.listing).index(("a", BASE_SLUG, 0))
        await press(pilot, *"j" * place, "enter", "2", "escape")
        assert "■ base only 1 → 0" in said(pilot, "#standing")
        assert "neither 0 → 1" in said(pilot, "#standing")
        assert "labels of ann on 1 trace" in said(pilot, "#standing")


async def test_a_mark_a_flag_and_a_note_stay_and_the_label_hangs_on_the_step(db: Path) -> None:
    async with driven(app(db), "a", "enter", "f", "e", *"a b", "enter") as pilot:
        screen = top(pilot, AuditScreen)
        at = screen.walk.trace.sample_id
        assert "flagged" in said(pilot, "#heading")
        assert "a b" in said(pilot, "#heading")
        await press(pilot, "x")
        assert screen.walk.trace.sample_id == at
        await press(pilot, "2")
        found = screen.session.labels.of(at)
        assert found.own is not None
        assert (found.flagged, found.note, found.own.step) == (True, "a b", 1)


async def test_blind_mode_shows_none_of_what_it_hides(db: Path) -> None:
    with AuditWriter(db) as writer, MarkWriter(db) as marks, Study(db) as study:
        for (sample_id,) in study.query("SELECT sample_id FROM sample"):
            writer.add(Audit(sample_id, "bob", 3, note="guess?"))
            marks.add(Mark(sample_id, "bob", Kind.NOTE, text="guess?"))
    async with driven(app(db), "a", "tab", "b") as pilot:
        await press(pilot, "o", "o", "shift+tab", "shift+tab")
        for size in ((80, 24), (200, 50)):
            await pilot.resize_terminal(*size)
            await settle(pilot)
            _hides(pilot)
        await press(pilot, "enter")
        screen = top(pilot, AuditScreen)
        for key in ("}", "t", "t", "m", "m", ".", "y", "=", "space", "1", "2", "u", "x", "f", "6", "7", "right_square_bracket"):
            await press(pilot, key)
            _hides(pilot)
            assert not [word for word in HIDDEN if word in screen.said], (key, screen.said)
        assert screen.walk.choice.word == "all"
        await press(pilot, "b")
        assert "reference 642" in said(pilot, "#heading")
        assert "bob: 3 guess" in said(pilot, "#heading")
    assert 7 not in [label for _, label, _ in labels_of(db)]


def _hides(pilot: Driver) -> None:
    """The response's own words aside: this study's say whose they are."""
    everything = shown(pilot) + crumbs(pilot)
    told = "\n".join(line for line in everything.splitlines() if "So it is" not in line and "Index" not in line)
    told = told.replace("basebound", "")
    assert not [word for word in HIDDEN if word in told], told


async def test_others_are_shown_where_nobody_is_blind(db: Path) -> None:
    with AuditWriter(db) as writer:
        writer.add(Audit(sample(db, BASE_SLUG, "a", 0), "bob", 2))
    async with driven(app(db), "a", size=(160, 40)) as pilot:
        assert "bob: 2 cancelling" in shown(pilot)
        assert "1 of 11 judged" in crumbs(pilot)


@pytest.mark.parametrize("writable", [True, False], ids=["locked", "read-only"])
async def test_what_cannot_be_kept_is_said_and_nothing_goes_on(
    db: Path, monkeypatch: pytest.MonkeyPatch, writable: bool
) -> None:
    monkeypatch.setattr("explorer.model.labels.BUSY_MS", 20)
    async with driven(app(db), "a", "enter") as pilot:
        screen = top(pilot, AuditScreen)
        at = screen.walk.trace.sample_id
        other = sqlite3.connect(db, isolation_level=None)
        if writable:
            other.execute("BEGIN IMMEDIATE")
        else:
            monkeypatch.setattr("store.appending.os.access", lambda *_: False)
        await press(pilot, "2")
        assert screen.walk.trace.sample_id == at
        assert ("locked by another program" if writable else "work on a copy") in screen.said
        assert "0 of 11 judged" in crumbs(pilot)
        assert "you: 2" not in shown(pilot)
        other.close()
    assert labels_of(db) == []


async def test_lists_beneath_follow_what_was_labelled(db: Path) -> None:
    async with driven(app(db), "enter", "a", "enter", "2", "escape", "escape") as pilot:
        screen = top(pilot, ProblemsScreen)
        assert screen.session.look() is False, "somebody has looked since the label was written"


async def test_the_screens_ways_do_not_lead_in_circles(db: Path) -> None:
    async with driven(app(db), "a", "enter", "a") as pilot:
        top(pilot, QueueScreen)
        await press(pilot, "a", "escape")
        assert not [screen for screen in pilot.app.screen_stack if isinstance(screen, (QueueScreen, AuditScreen))]


async def test_why_a_trace_is_listed_is_told_in_a_sentence(db: Path) -> None:
    async with driven(app(db), "a") as pilot:
        queue = top(pilot, QueueScreen)
        assert queue.listing is not None
        await press(pilot, *"j" * keys(queue.listing).index(("a", BASE_SLUG, 0)))
        why = " ".join(said(pilot, "#why").split())
        assert "base has 1 unread right answer here: 1 of them labelled 2, 3 or 4 would turn the problem" in why
        assert "from base only to neither, McNemar p 1" in why


async def test_an_answer_judged_wrong_says_which_digit_changes_it(tmp_path: Path) -> None:
    """RL never solves it, and ends one text with the reference: the verifier may be wrong."""
    path = make(tmp_path / "doubt.db", {"a": (1, 0), "b": (4, 4)}, wrong=r"So it is \boxed{5}. Or rather \boxed{642}.")
    found = listing(path, By.INFLUENCE)
    doubted = [place for place, entry in enumerate(found.entries) if not entry.item.right]
    assert doubted
    async with driven(app(path), "a", *"j" * doubted[0], "enter") as pilot:
        assert "judged wrong: 7 if it is right after all" in said(pilot, "#heading")
        await press(pilot, "7", "escape")
        assert "■ base only 1 → 0" in said(pilot, "#standing")
        await press(pilot, "b")
        blind = top(pilot, QueueScreen).listing
        assert blind is not None
        assert all(entry.item.right for entry in blind.entries), "whose verdict is in doubt cannot be read blind"


async def test_an_empty_queue_says_why(tmp_path: Path) -> None:
    path = make(tmp_path / "none.db", {"a": (0, 0)})
    async with driven(app(path), "a") as pilot:
        assert "nothing to read: no label can move a problem from one set to another" in shown(pilot)
        await press(pilot, "enter")
        assert "nothing to read" in top(pilot, QueueScreen).said
        await press(pilot, "tab")
        assert "nothing to read: no right answers are stored to draw from" in shown(pilot)


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (80, 12)])
async def test_every_digit_has_its_word_in_sight(db: Path, size: tuple[int, int]) -> None:
    async with driven(app(db), "a", "enter", size=size) as pilot:
        line = said(pilot, "#digits")
        assert all(f"{digit} " in line for digit in range(1, 9))
        widget = pilot.app.screen.query_one("#digits")
        assert widget.region.height == 1
        assert widget.region.bottom <= size[1] - 1
        assert pilot.app.screen.query_one("#response").region.height >= 4


@pytest.mark.parametrize("width", range(78, 200, 11))
def test_digits_fit(width: int) -> None:
    assert width_of(auditing.digits(width)) <= width


async def test_the_cursor_comes_back_to_what_is_next(db: Path) -> None:
    async with driven(app(db), "a", "enter", "2", "1", "escape") as pilot:
        queue = top(pilot, QueueScreen)
        assert queue.query_one(VirtualList).cursor == 0
        assert queue.selected is not None
        assert not queue.selected.judged


# -- what an auditor stumbled over ---------------------------------------------------------------------------------------


def label_every_right_answer(db: Path, digit: int) -> None:
    with AuditWriter(db) as writer:
        for entry in listing(db, By.INFLUENCE).entries:
            writer.add(Audit(entry.sample_id, "ann", digit))


async def test_undecided_ones_that_decide_sets_are_no_end_and_enter_lists_them(db: Path) -> None:
    label_every_right_answer(db, 5)
    async with driven(app(db), "a") as pilot:
        told = said(pilot, "#standing")
        assert "Done" not in told
        assert "11 traces labelled undecided still decide a set: read them again · Enter lists them" in told
        await press(pilot, "enter")
        queue = top(pilot, QueueScreen)
        assert "[undecided]" in said(pilot, "#ways")
        assert queue.listing is not None
        assert len(queue.listing.entries) == 11
        await press(pilot, "enter", "8", "1")
        assert "2 of " in crumbs(pilot), "still undecided, and not asked for again"
        await press(pilot, "escape")
        assert queue.listing is not None
        assert len(queue.listing.entries) < 11
        await press(pilot, "tab")
        assert "[random stratum]" in said(pilot, "#ways")


async def test_commands_shown_can_be_pasted_whatever_the_path(template: Path, tmp_path: Path) -> None:
    (tmp_path / "my study's").mkdir()
    db = Path(shutil.copy(template, tmp_path / "my study's" / "a b.db"))
    label_every_right_answer(db, 1)
    for size in ((80, 24), (200, 50), (80, 12)):
        async with driven(app(db), "a", size=size) as pilot:
            told = said(pilot, "#standing")
            words = shlex.split(told[told.index("basebound audit") :].replace("\n", ""))
            assert words[:3] == ["basebound", "audit", "agreement"]
            assert words[3].startswith(str(db))
            assert words[-3:] == [str(db), "--out", "labels.csv"]


async def test_the_statement_is_there_where_it_fits_else_how_it_begins(tmp_path: Path) -> None:
    long = make(tmp_path / "long.db", {"a": (2, 0)}, wrong="So it is 5.")
    async with driven(app(long), "a", "enter", size=(80, 24)) as pilot:
        assert pilot.app.screen.query_one("#statement").display
        assert said(pilot, "#problem") == ""
        await press(pilot, "b")
        assert pilot.app.screen.query_one("#statement").display, "blind, too: it is no secret"
        await press(pilot, "t")
        assert not pilot.app.screen.query_one("#statement").display
        assert said(pilot, "#problem").startswith("t statement  ")
        await press(pilot, "space")
        assert not pilot.app.screen.query_one("#statement").display, "once t was pressed, t decides"
        await press(pilot, "t")
        assert pilot.app.screen.query_one("#statement").display


async def test_flagged_traces_are_one_key_away(db: Path) -> None:
    async with driven(app(db), "a", "enter", "f") as pilot:
        assert "flagged: a, then f lists flags" in top(pilot, AuditScreen).said
        await press(pilot, "a", "f")
        queue = top(pilot, QueueScreen)
        assert "[flagged]" in said(pilot, "#ways")
        assert queue.listing is not None
        assert len(queue.listing.entries) == 1
        await press(pilot, "f")
        assert "[most consequential]" in said(pilot, "#ways")


async def test_a_draw_that_was_read_says_what_it_found_and_that_it_is_widened(
    db: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("model.queue_choosing", "model.queue", "render.auditing"):
        monkeypatch.setattr(f"explorer.{module}.STRATUM", 4)
    async with driven(app(db), "a", "tab", "enter", *"1112") as pilot:
        queue = top(pilot, QueueScreen)
        told = " ".join(said(pilot, "#standing").split())
        assert "4 drawn and judged, 3 of 4 decided are sound (95 % interval 19 to 99 %)." in told
        assert "What follows widens the draw, 4 at a time: stop when the interval is narrow enough" in told
        assert queue.listing is not None
        assert len(queue.listing.still) == 4
        await press(pilot, "b")
        assert "3 of 4 decided are sound" in said(pilot, "#standing"), "of both runs together: it tells none"


async def test_the_queue_says_how_its_number_and_the_first_screens_belong_together(db: Path) -> None:
    async with driven(app(db), "a") as pilot:
        assert "11 listed can move a set" in said(pilot, "#standing")
        assert "1 is of the 1 right trace of the base-only set" in said(pilot, "#standing")
        assert "5 more labels could still change" in said(pilot, "#standing") or "no further label" in said(pilot, "#standing")


async def test_one_problem_says_which_and_how_it_came(db: Path) -> None:
    async with driven(app(db), "enter", "j", "a") as pilot:
        key = top(pilot, QueueScreen).problem
        assert key is not None
        assert f"problem {key.key}" in said(pilot, "#ways")
        await press(pilot, "tab", "tab", "tab")
        assert f"problem {key.key}, which you came from" in said(pilot, "#standing")


async def test_going_blind_says_what_is_left_out_and_walks_another_queue(tmp_path: Path) -> None:
    path = make(tmp_path / "doubt.db", {"a": (1, 0), "b": (4, 4)}, wrong=r"So it is \boxed{5}. Or rather \boxed{642}.")
    found = listing(path, By.INFLUENCE)
    wrong = [place for place, entry in enumerate(found.entries) if not entry.item.right]
    out = f"{len(wrong)} wrong answers are left out while blind: only their verdict is in question"
    async with driven(app(path), "a", "b") as pilot:
        assert out in " ".join(said(pilot, "#standing").split())
        assert out in top(pilot, QueueScreen).said
        await press(pilot, "b", *"j" * wrong[0], "enter")
        screen = top(pilot, AuditScreen)
        assert "judged wrong" in said(pilot, "#heading")
        await press(pilot, "b")
        assert out in screen.said
        assert crumbs(pilot).count("blind") == 1
        assert screen.entry.item.right
        assert screen.entry.sample_id == screen.walk.trace.sample_id
        assert len(screen.walk.traces) == len(found.entries) - len(wrong)
        await press(pilot, "2", "b")
        assert len(screen.walk.traces) >= len(wrong)
        assert screen.trace is not None
        assert screen.entry.sample_id == screen.trace.row.sample_id


async def test_help_and_palette_tell_no_run_while_blind(db: Path) -> None:
    async with driven(app(db), "a", "b", "enter") as pilot:
        for key in ("question_mark", "colon"):
            await press(pilot, key)
            everything = "\n".join(strip.text for strip in pilot.app.screen._compositor.render_strips())
            assert "trace" in everything
            assert not [word for word in ("base-7b", "step 100", "reference 642", BASE_SLUG, RL_SLUG) if word in everything]
            await press(pilot, "escape")
        for key in ("=", "p", "P", "C"):
            await press(pilot, key)
            assert "you audit blind" in top(pilot, AuditScreen).said


def test_the_marks_say_what_audit_columns_and_labels_mean() -> None:
    told = " ".join("".join(text for text, _ in line) for line in help_lines([], 70))
    assert "✓2 ?1 ✗1" in told
    assert "labels: 1 sound; 2, 3, 4 unsound; 5, 8 undecided;" in " ".join(told.split())
