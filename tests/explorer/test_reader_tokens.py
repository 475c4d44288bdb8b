"""The Reader shows what models think of a trace's tokens: shades, forks, the token gone to, a bar for each step."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from rich.style import Style

from explorer.app import BaseboundApp
from explorer.model.reading import Weighed, Widths, read_trace
from explorer.model.session import Session
from explorer.model.token_shades import Kind, Tokens, read_tokens
from explorer.render.forks import AtToken, Choice, View, chance, panel, token_text
from explorer.render.heading import heading
from explorer.render.page import Document, page_of
from explorer.render.pieces import Tone, width_of
from explorer.render.shades import OUTSIDE, TONES, Shades, change, height, surprise
from explorer.render.text import Expression
from explorer.render.theme import DARK, LIGHT, tone_styles
from explorer.screens.audit import AuditScreen
from explorer.screens.reader import ReaderScreen
from explorer.screens.weighing import BLIND
from explorer.widgets.text_view import TextView
from store.likelihoods import token_scores
from store.names import parse_link
from store.new_scores import NewTokenScores
from store.reader import Study
from store.types import Likelihood, Model, Role
from store.writer import Writer
from tests.builders import BASE, RL
from tests.engine.token_study import DECODING, VOCABULARY, TokenStudy, token_study
from tests.explorer.driving import Driver, crumbs, driven, press, said, settle, shown, top
from tests.explorer.test_app_snapshots import Compare, walked

MakeOver = Callable[[str], BaseboundApp]

GAVE_UP = "base-7b@sums/sums:lost/0"
HOSTILE = "base-7b@sums/sums:lost/1"
SUMMED = "base-7b@sums/sums:lost/2"
GAINED = "rl-7b-step-100@sums/sums:found/0"
CUT = "rl-7b-step-100@sums/sums:found/1"
TOLD_LITTLE = "base-7b@sums/sums:shared/0"
UNPLACED = "base-7b@sums/sums:shared/1"
STOPPED = "rl-7b-step-100@sums/sums:shared/0"
ALONE = "rl-7b-step-100@sums/sums:shared/1"


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> TokenStudy:
    return token_study(tmp_path_factory.mktemp("tokens") / "tokens.db")


@pytest.fixture
def over(study: TokenStudy) -> MakeOver:
    """The app at a trace of that study."""

    def make(link: str) -> BaseboundApp:
        session = Session.open(study.path)
        return BaseboundApp(session, session.goal(parse_link(link)))

    return make


@pytest.fixture
def session(study: TokenStudy) -> Iterator[Session]:
    with Session.open(study.path) as session:
        yield session


def tokens_of(session: Session, study: TokenStudy, name: str) -> Tokens:
    found = read_tokens(session, session.trace(study.ids[name]))
    assert isinstance(found, Tokens)
    return found


def response(pilot: Driver) -> TextView:
    return pilot.app.screen.query_one("#response", TextView)


def toned(pilot: Driver) -> dict[str, Tone]:
    """What stands out in the text, by its words."""
    view = response(pilot)
    pieces = [piece for line in range(len(view.page.lines)) for piece in view._body(line)]  # what is drawn
    return {text: tone for text, tone in pieces if tone in {*TONES.values(), Tone.CHOSEN} - {Tone.PLAIN}}


def gutters(pilot: Driver) -> list[str]:
    view = response(pilot)
    return [view._gutter_strip(line).text for line in view.page.steps]


async def test_l_goes_through_the_ways_and_off_again(over: MakeOver) -> None:
    async with driven(over(GAVE_UP)) as pilot:
        before = shown(pilot)
        titles = []
        for _ in range(4):
            await press(pilot, "l")
            titles.append(said(pilot, "#likelihood").partition(" · ")[0])
        assert titles == ["surprisal under base", "log-ratio RL to base", "surprisal under RL", ""]
        assert shown(pilot) == before


async def test_surprisal_is_shaded_by_level(over: MakeOver) -> None:
    async with driven(over(GAVE_UP), "l") as pilot:
        assert toned(pilot) == {"Wait": Tone.FALL_1}
        await press(pilot, *"ll")
        assert toned(pilot) == {"Wait": Tone.OUTSIDE, " 12": Tone.OUTSIDE}
        assert "✕ 2 outside RL's nucleus" in said(pilot, "#likelihood")


async def test_the_ratio_says_where_rl_gave_the_path_up(over: MakeOver) -> None:
    async with driven(over(GAVE_UP), *"ll") as pilot:
        assert "RL falls most at step 2: −9.94 nats" in said(pilot, "#likelihood")
        assert "falls 1–3 3–6 >6 rises 1–3 3–6 >6" in said(pilot, "#likelihood")
        assert [gutter[:5] for gutter in gutters(pilot)] == ["  1 ▁", "  2✕█", "  3 ▁"]


async def test_bars_stand_in_a_gutter_of_the_same_width_and_go_again(over: MakeOver) -> None:
    async with driven(over(GAVE_UP)) as pilot:
        plain = gutters(pilot)
        await press(pilot, "l")
        shaded = gutters(pilot)
        assert [len(one) for one in shaded] == [len(one) for one in plain]
        assert [one[4] for one in shaded] == ["▃", "█", "▃"]
        await press(pilot, *"lll")
        assert gutters(pilot) == plain


async def test_forks_are_gone_through_round_the_ends(over: MakeOver) -> None:
    async with driven(over(GAVE_UP), *"ll", "greater_than_sign") as pilot:
        first, rest = said(pilot, "#likelihood").split("▸ ")[1].split("\n", 1)
        assert first.startswith("Wait · fork 1 of 2 · log-ratio −6.00 · token 6 of 18 · step 2")
        assert "base  14 % (1 in 7.4) · inside by ≈0.02 at T 0.6 top-p 0.95 · entropy ≈0.25" in rest
        assert "RL    <0.1 % (1 in 3,000) · ✕ outside by ≈0.039 at T 0.6 top-p 0.95 · entropy ≈0.25" in rest
        assert "RL would rather So 94 % █████████ · Now 5.1 % █" in rest
        assert toned(pilot)["Wait"] is Tone.CHOSEN
        await press(pilot, ">")
        assert "␣12 · fork 2 of 2" in said(pilot, "#likelihood")
        await press(pilot, ">")
        assert "Wait · fork 1 of 2" in said(pilot, "#likelihood")
        await press(pilot, "<")
        assert "␣12 · fork 2 of 2" in said(pilot, "#likelihood")
        assert "step 2 of 3" in crumbs(pilot)


async def test_the_decisive_fork_comes_first(over: MakeOver) -> None:
    async with driven(over(GAVE_UP), *"ll", "G", "F") as pilot:
        assert "Wait · fork 1 of 2" in said(pilot, "#likelihood")
        await press(pilot, "F")
        assert "␣12 · fork 2 of 2" in said(pilot, "#likelihood")


async def test_esc_takes_the_token_away_before_the_search_and_the_screen(over: MakeOver) -> None:
    async with driven(over(GAVE_UP), "l", ">", "slash", *"there", "enter", "escape") as pilot:
        top(pilot, ReaderScreen)
        assert "▸" not in said(pilot, "#likelihood")
        assert "/there 1/1" in crumbs(pilot)
        await press(pilot, "escape")
        assert "/there" not in crumbs(pilot)
        assert Tone.CHOSEN not in toned(pilot).values()
        await press(pilot, "escape")
        assert not isinstance(pilot.app.screen, ReaderScreen)


async def test_the_panel_is_as_high_at_every_token(over: MakeOver) -> None:
    async with driven(over(GAVE_UP), "l", "l", ">", size=(80, 24)) as pilot:
        heights = {len(said(pilot, "#likelihood").splitlines())}
        await press(pilot, ">")
        heights.add(len(said(pilot, "#likelihood").splitlines()))
        assert heights == {5}


async def test_the_mode_stays_on_while_samples_are_walked(over: MakeOver) -> None:
    async with driven(over(GAVE_UP), *"ll", "right_square_bracket") as pilot:
        assert "log-ratio RL to base" in said(pilot, "#likelihood")
        assert "part of" not in said(pilot, "#likelihood")
        await press(pilot, "right_square_bracket")
        assert "no likelihoods here: this trace was not scored token by token" in said(pilot, "#likelihood")
        assert gutters(pilot)[0][4] == "▎"
        await press(pilot, "left_square_bracket", "left_square_bracket")
        assert "RL falls most at step 2" in said(pilot, "#likelihood")


async def test_without_scores_l_says_what_brings_them(over: MakeOver, study: TokenStudy) -> None:
    async with driven(over(SUMMED), "l") as pilot:
        screen = top(pilot, ReaderScreen)
        assert screen.said.startswith("this trace was not scored token by token")
        assert f"basebound score {study.path} --scorer DIR --of base-7b@sums --tokens" in screen.said
        assert said(pilot, "#likelihood") == ""


@pytest.mark.parametrize("key", [">", "<", "F"])
async def test_keys_of_forks_turn_the_shades_on(over: MakeOver, key: str) -> None:
    async with driven(over(GAVE_UP), key) as pilot:
        text = said(pilot, "#likelihood")
        assert text.startswith("log-ratio RL to base")
        assert ("␣12 · fork 2 of 2" if key == "<" else "Wait · fork 1 of 2") in text
        assert toned(pilot)[" 12" if key == "<" else "Wait"] is Tone.CHOSEN


async def test_a_fork_of_one_model_alone_is_under_its_surprisal(over: MakeOver) -> None:
    async with driven(over(ALONE), ">") as pilot:
        assert said(pilot, "#likelihood").startswith("surprisal under RL")
        assert "fork 1 of 1" in said(pilot, "#likelihood")


@pytest.mark.parametrize(
    ("link", "why"), [(SUMMED, "was not scored token by token"), (UNPLACED, "read otherwise than this text")]
)
async def test_keys_of_forks_say_why_there_are_none(over: MakeOver, link: str, why: str) -> None:
    async with driven(over(link)) as pilot:
        screen = top(pilot, ReaderScreen)
        for key in (">", "<", "F"):
            screen.said = ""
            await press(pilot, key)
            assert why in screen.said
            assert said(pilot, "#likelihood") == ""
            assert screen.weighed is None


async def test_forks_are_asked_for_where_only_this_trace_has_none(over: MakeOver) -> None:
    async with driven(over(GAVE_UP), "l", "]", "]", ">") as pilot:
        assert "was not scored token by token" in top(pilot, ReaderScreen).said


async def test_ids_that_read_otherwise_are_said(over: MakeOver) -> None:
    async with driven(over(UNPLACED), "l") as pilot:
        assert "token ids read otherwise than this text" in top(pilot, ReaderScreen).said


async def test_a_server_knows_no_forks(over: MakeOver) -> None:
    async with driven(over(TOLD_LITTLE), *"ll", ">") as pilot:
        assert "forks unknown" in said(pilot, "#likelihood")
        assert "does not tell what else" in top(pilot, ReaderScreen).said
        assert toned(pilot) == {" it": Tone.FALL_2}


async def test_one_scorer_has_no_ratio(over: MakeOver) -> None:
    async with driven(over(ALONE), "l") as pilot:
        assert "surprisal under RL" in said(pilot, "#likelihood")
        await press(pilot, "l")
        assert said(pilot, "#likelihood") == ""


@pytest.mark.parametrize("ways", [1, 2, 3])
async def test_hostile_tokens_never_reach_the_terminal(over: MakeOver, ways: int) -> None:
    async with driven(over(HOSTILE), *"l" * ways) as pilot:
        for _ in range(4):
            await press(pilot, ">")
            text = shown(pilot)
            assert not any(char in text for char in "\x1b\x07\u202e\ud800\t")
            assert "␛[31mLook" in text


async def test_a_part_of_a_character_is_shown_with_that_character(over: MakeOver) -> None:
    async with driven(over(HOSTILE), *"ll", ">", ">") as pilot:
        assert "▸ part of 😀 · fork 2 of 3" in said(pilot, "#likelihood")
        assert toned(pilot)["😀"] is Tone.CHOSEN
        assert "RL would rather token " in said(pilot, "#likelihood")  # nobody stored how it reads


async def test_raw_is_shaded_too(over: MakeOver) -> None:
    async with driven(over(GAVE_UP), *"ll", "m") as pilot:
        assert toned(pilot) == {"Wait": Tone.OUTSIDE, " 12": Tone.OUTSIDE}
        await press(pilot, "m")
        assert toned(pilot) == {"Wait": Tone.OUTSIDE, " 12": Tone.OUTSIDE}


async def test_shades_turned_on_in_raw_are_there(over: MakeOver) -> None:
    async with driven(over(GAVE_UP), "m", "l", "l") as pilot:
        assert toned(pilot) == {"Wait": Tone.OUTSIDE, " 12": Tone.OUTSIDE}


async def test_matches_are_seen_over_the_shades(over: MakeOver) -> None:
    async with driven(over(GAVE_UP), "l", "l", "slash", *"wait", "enter") as pilot:
        view = response(pilot)
        drawn = [piece for line in range(len(view.page.lines)) for piece in view._body(line)]
        assert ("Wait", Tone.MATCH_HERE) in drawn
        assert (" 12", Tone.OUTSIDE) in drawn


async def test_shades_and_the_token_stay_in_another_size(over: MakeOver) -> None:
    async with driven(over(GAVE_UP), "F", size=(120, 40)) as pilot:
        before = toned(pilot)
        await pilot.resize_terminal(40, 20)
        await settle(pilot)
        assert toned(pilot) == before
        assert "Wait · fork 1 of 2" in said(pilot, "#likelihood")
        assert "Wait" in shown(pilot)


async def test_a_scored_trace_says_that_l_shows_its_tokens(over: MakeOver) -> None:
    async with driven(over(GAVE_UP), size=(80, 24)) as pilot:
        assert "l tokens" in shown(pilot)
        await press(pilot, "]", "]")
        assert "l tokens" not in shown(pilot)


def scored_by_more(study: TokenStudy, path: Path, name: str, *scorers: Model, retokenized: bool = False) -> BaseboundApp:
    """The app at a trace of a copy of the study, on which more models have been asked."""
    shutil.copy(study.path, path)
    with Study(path) as opened:
        scores = token_scores(opened, study.ids["gave_up"])[0].scores
    if retokenized:
        scores = replace(scores, spans=[55, *[0] * 17])
    sample_id = study.ids[name]
    with Writer(path, "test") as writer:
        for scorer in scorers:
            one = NewTokenScores(sample_id, *DECODING, VOCABULARY, scores)
            sums = Likelihood(sample_id, 1, 1, 0, 18, sum(scores.logp), 0, None, retokenized=retokenized)
            writer.add_likelihoods(scorer, "float32", [sums], engine="by hand", by_token=[one], pieces={})
    session = Session.open(path)
    return BaseboundApp(session, session.goal(parse_link(GAVE_UP if name == "gave_up" else SUMMED)))


async def titles(pilot: Driver, presses: int) -> list[str]:
    found = []
    for _ in range(presses):
        await press(pilot, "l")
        found.append(said(pilot, "#likelihood").partition(" · ")[0])
    return found


async def test_of_many_scorers_those_that_the_screen_compares_are_looked_at(study: TokenStudy, tmp_path: Path) -> None:
    series = [Model("lab/rl-7b", f"step-{step}", Role.RL, step=step) for step in (20, 40, 60, 80)]
    async with driven(scored_by_more(study, tmp_path / "series.db", "gave_up", *series)) as pilot:
        assert said(pilot, "#heading").count("PPL") == 3
        assert "rl-7b step 100" in said(pilot, "#heading")
        assert "+3 more models" in said(pilot, "#heading")
        assert await titles(pilot, 4) == ["surprisal under base", "log-ratio RL to base", "surprisal under RL", ""]
        await press(pilot, "l", ">")
        assert len(said(pilot, "#likelihood").splitlines()) == 1 + 4  # what is shaded, then the token, two scorers, what else


async def test_a_checkpoint_of_another_pair_is_looked_at_where_nobody_else_was_asked(study: TokenStudy, tmp_path: Path) -> None:
    others = [Model("lab/rl-7b", f"step-{step}", Role.RL, step=step) for step in (20, 40)]
    async with driven(scored_by_more(study, tmp_path / "others.db", "summed", *others)) as pilot:
        assert await titles(pilot, 4) == [
            "surprisal under rl-7b step 20",
            "log-ratio rl-7b step 40 to rl-7b step 20",
            "surprisal under rl-7b step 40",
            "",
        ]


async def test_one_that_the_trace_was_not_drawn_by_can_be_alone(study: TokenStudy, tmp_path: Path) -> None:
    async with driven(scored_by_more(study, tmp_path / "other.db", "summed", RL)) as pilot:
        assert await titles(pilot, 2) == ["surprisal under RL", ""]
        await press(pilot, ">")
        assert "surprisal under RL" in said(pilot, "#likelihood")


async def test_a_text_that_was_tokenized_anew_is_shaded_and_said_to_be(study: TokenStudy, tmp_path: Path) -> None:
    async with driven(scored_by_more(study, tmp_path / "anew.db", "summed", BASE, retokenized=True), "l") as pilot:
        assert "retokenized" in said(pilot, "#heading")
        assert "surprisal under base" in said(pilot, "#likelihood")


async def test_damaged_scores_are_told_and_the_text_is_read(study: TokenStudy, tmp_path: Path) -> None:
    path = Path(shutil.copy(study.path, tmp_path / "damaged.db"))
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE token_score SET data = x'0100' WHERE sample_id = ?", (study.ids["hostile"],))
    session = Session.open(path)
    async with driven(BaseboundApp(session, session.goal(parse_link(GAVE_UP))), "l", "]") as pilot:
        screen = top(pilot, ReaderScreen)
        assert screen.trace is not None
        assert screen.trace.row.sample_id == study.ids["hostile"]
        assert "damaged" in screen.said
        assert said(pilot, "#likelihood") == ""


async def test_the_end_is_a_token_where_one_was_generated(over: MakeOver) -> None:
    async with driven(over(GAVE_UP), "l") as pilot:
        assert "␃" in shown(pilot)
    async with driven(over(STOPPED), "l") as pilot:
        assert "␃" in shown(pilot)  # what the stop string cut off


async def test_who_audits_blind_sees_nothing_of_it(study: TokenStudy, tmp_path: Path) -> None:
    path = Path(shutil.copy(study.path, tmp_path / "audited.db"))
    async with driven(BaseboundApp(Session.open(path)), "enter", "a", "enter", "l") as pilot:
        screen = top(pilot, AuditScreen)
        if screen.blind:
            await press(pilot, "b", "l")
        while "surprisal" not in said(pilot, "#likelihood"):
            await press(pilot, "space", "l")
        assert any(tone is not Tone.PLAIN for tone in toned(pilot).values()) or "␃" in shown(pilot)
        await press(pilot, "b")
        assert screen.blind
        assert "PPL" not in said(pilot, "#heading")
        assert said(pilot, "#likelihood") == ""
        assert response(pilot).shades is None
        await press(pilot, "l", ">", "F")
        assert screen.said == BLIND
        assert response(pilot).shades is None
        assert screen.weighed is None
        kept = screen._kept._readings.values()
        assert all(reading.tokens is None for reading in kept)
        await press(pilot, "b")
        assert response(pilot).shades is not None


async def test_scores_are_not_read_while_nothing_is_shaded(over: MakeOver, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("scores were read")

    monkeypatch.setattr("store.likelihoods.unpack_scores", refuse)
    async with driven(over(GAVE_UP), "right_square_bracket", "left_square_bracket", "m") as pilot:
        assert "PPL 1.240 base-7b, 1 in 48 (l)" in said(pilot, "#heading")


def test_the_heading_says_how_likely_the_whole_trace_is(session: Session, study: TokenStudy) -> None:
    text = "\n".join("".join(piece for piece, _ in line) for line in heading(session.trace(study.ids["gave_up"]), 200))
    assert "PPL 1.240 base-7b, 1 in 48" in text
    assert "(2 tokens outside by 0.04)" in text
    cut = "\n".join("".join(piece for piece, _ in line) for line in heading(session.trace(study.ids["cut"]), 200))
    assert "(cut off)" in cut


def test_no_numeric_library_is_needed(session: Session, study: TokenStudy) -> None:
    reading = read_trace(session, study.ids["gave_up"], Widths(70, 76), raw=False, weighed=Weighed())
    assert isinstance(reading.tokens, Tokens)
    assert [(way.kind, way.name) for way in reading.tokens.ways] == [
        (Kind.SURPRISAL, "lab/base-7b"),
        (Kind.RATIO, "lab/rl-7b"),
        (Kind.SURPRISAL, "lab/rl-7b"),
    ]


def test_every_way_of_every_trace_can_be_drawn(session: Session, study: TokenStudy) -> None:
    """At each token: the marks lie in the line, the panel fits, whatever the widths."""
    for name in ("gave_up", "hostile", "gained", "cut", "told_little", "stopped", "alone"):
        tokens = tokens_of(session, study, name)
        for raw in (False, True):
            for width in (7, 20, 76):
                reading = read_trace(session, study.ids[name], Widths(width, width), raw=raw)
                for way in tokens.ways:
                    lens = tokens.lens(way)
                    assert lens is not None
                    for token in range(tokens.found.tokens):
                        for line, (start, end) in enumerate(reading.page.lines):
                            marks = [*lens.shades.marks(reading.page, line), *lens.shades.here(reading.page, line, token)]
                            assert all(start <= first < last <= end for first, last, _ in marks)
                        assert all(width_of(line) > 0 for line in panel(tokens.facts(lens, token), width))


def test_the_furthest_of_several_tokens_tones_rendered_maths() -> None:
    text = "so \\frac{a}{b} ends"
    document = Document(text, rendered=[Expression(3, 14, text[3:14], "a/b")])
    page = page_of(document, 60)
    starts, ends = [0, 3, 8, 14], [3, 8, 14, 19]
    assert page.pieces(0, Shades(starts, ends, [0, 1, 3, 0]).marks(page, 0)) == [
        ("so ", Tone.PLAIN),
        ("a/b", Tone.FALL_3),
        (" ends", Tone.PLAIN),
    ]
    assert Shades(starts, ends, [0, -3, 1, 0]).marks(page, 0) == [(3, 6, Tone.RISE_3)]
    assert Shades(starts, ends, [0, OUTSIDE, 3, 0]).marks(page, 0) == [(3, 6, Tone.OUTSIDE)]


def test_a_surprising_line_end_is_seen() -> None:
    page = page_of(Document("one\n\ntwo"), 60)
    shades = Shades([0, 3, 5], [3, 5, 8], [0, 2, 0])
    assert [shades.tail(page, line) for line in range(3)] == [("␊", Tone.FALL_2), ("␊", Tone.FALL_2), None]
    assert shades.tail(page, 0, here=1) == ("␊", Tone.CHOSEN)


@pytest.mark.parametrize(
    ("nats", "level"), [(0.0, 0), (0.99, 0), (1.0, 1), (3.0, 2), (6.0, 3), (float("inf"), 3), (float("nan"), 0)]
)
def test_levels(nats: float, level: int) -> None:
    assert change(-nats) == level
    assert change(nats) == -level
    if nats == nats:  # noqa: PLR0124 - a surprisal is never unknown
        assert surprise(nats) == level


def test_bars_grow_with_the_nats() -> None:
    assert "".join(height(nats, 8.0) for nats in (-1.0, 0.0, 1.0, 4.0, 7.9, 8.0, float("inf"))) == "▁▁▂▅███"
    assert height(0.0, 0.0) == height(float("nan"), 1.0) == "▁"


@pytest.mark.parametrize("theme", [DARK.name, LIGHT.name])
def test_levels_are_told_apart_without_colours(theme: str) -> None:
    styles = tone_styles(theme)
    shapes = {tone: _shape(styles[tone]) for tone in {*TONES.values(), Tone.CHOSEN}}
    assert len(set(shapes.values())) == len(shapes)


def _shape(style: Style) -> tuple[bool, ...]:
    return tuple(bool(value) for value in (style.bold, style.italic, style.underline, style.reverse, style.strike))


@pytest.mark.parametrize(
    ("text", "said"),
    [(" so", "␣so"), ("\n\n", "␊␊"), ("  ", "␣␣"), ("a ", "a␣"), ("\x1b[1m", "␛[1m"), ("x" * 90, "x" * 23 + "…")],
)
def test_tokens_are_named_with_their_blanks(text: str, said: str) -> None:
    assert token_text(text) == said


def test_what_rounding_or_top_k_decides_is_said() -> None:
    def line(edge: float | None, decoded: float | None, margin: float = 0.02) -> str:
        view = View("base", Tone.BASE, -1.0, None, decoded, edge, (0.6, 0.95, 20), margin)
        at = AtToken("x", False, 0, 1, 1, (None, 0), None, (view,), ("base", Tone.BASE), (Choice("", 7, -0.1),), True)
        return "".join(text for text, _ in panel(at, 120)[1])

    assert "✕ outside by ≈0.01, within rounding at T 0.6 top-p 0.95 top-k 20" in line(0.01, float("-inf"))
    assert "✕ outside by ≈0.3 at" in line(0.3, float("-inf"))
    assert "outside: cut by top-k" in line(-0.3, float("-inf"))
    assert "inside by ≈0.3" in line(-0.3, -1.0)
    assert "inside at" in line(None, -1.0)
    assert "side" not in line(None, None)


def test_a_chance_is_a_share_and_odds() -> None:
    assert chance(-0.01) == "99 %"
    assert chance(-2.0).startswith("14 % (1 in 7.4")
    assert chance(-58.0).startswith("<0.1 % (1 in 10^25")
    assert chance(float("-inf")) == "0 % (never)"


def test_a_lens_is_made_once(session: Session, study: TokenStudy) -> None:
    tokens = tokens_of(session, study, "gave_up")
    lens = tokens.lens(tokens.ways[1])
    assert lens is not None
    assert lens is tokens.lens(tokens.ways[1])
    step, nats = lens.most or (0, 0.0)
    assert step == 2
    assert nats == pytest.approx(-9.9375, abs=1e-3)
    assert list(lens.decisive) == [5, 9]


async def test_scores_that_come_meanwhile_are_shown(study: TokenStudy, tmp_path: Path) -> None:
    path = Path(shutil.copy(study.path, tmp_path / "growing.db"))
    session = Session.open(path)
    app = BaseboundApp(session, session.goal(parse_link(GAVE_UP)))
    async with driven(app, *"ll", "right_square_bracket", "right_square_bracket") as pilot:
        assert "no likelihoods here" in said(pilot, "#likelihood")
        with Study(path) as opened:
            rows = token_scores(opened, study.ids["gave_up"])
        words = replace(rows[0].scores, spans=[55, *[0] * 17])
        with Writer(path, "test") as writer:
            one = NewTokenScores(study.ids["summed"], *DECODING, VOCABULARY, words)
            writer.add_likelihoods(rows[1].scorer, "float32", [], engine="by hand", by_token=[one], pieces={})
        session.look()
        top(pilot, ReaderScreen).hear_of_change()
        await settle(pilot)
        assert "not scored this way; l shows another" in said(pilot, "#likelihood")
        await press(pilot, "l")
        assert "surprisal under RL" in said(pilot, "#likelihood")


@pytest.mark.parametrize("size", [(80, 24), (200, 50)], ids=lambda size: f"{size[0]}x{size[1]}")
def test_picture(snap_compare: Compare, over: MakeOver, size: tuple[int, int]) -> None:
    assert snap_compare(over(GAVE_UP), terminal_size=size, run_before=walked(*"ll", "F"))


def test_picture_without_colours(snap_compare: Compare, over: MakeOver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")  # Textual takes it out of the environment again when the app is made
    assert snap_compare(over(GAVE_UP), terminal_size=(80, 24), run_before=walked(*"ll", ">"))
