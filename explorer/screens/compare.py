"""Two traces of one problem beside each other, locked by step: the start they share, where they part, which words differ.

Opened on one trace; the other is chosen (`explorer.model.partners`) unless it is named. The baseline's run stands on the left
until `s` swaps the sides.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar, Final

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.reactive import reactive

from explorer.model.comparing import Alone, Compared, compare, compare_next, laid_out
from explorer.model.partners import Partners
from explorer.model.session import Pair, Session
from explorer.model.walk import ALL, Walk
from explorer.render.compared import between, side_line
from explorer.render.pieces import Line, Tone, dim, flow, plain
from explorer.render.spread import Spread
from explorer.render.words import NONE, short_names
from explorer.screens.base import CouldNotRead, ExplorerScreen, Here
from explorer.widgets.crumbs import Crumbs
from explorer.widgets.key_line import KeyLine
from explorer.widgets.lines import Lines
from explorer.widgets.two_texts import TwoTexts
from store.rows import Trace

_PARTNER, _STEP, _DIFFERENCE = (Binding.Group(word) for word in ("partner", "step", "difference"))
_ALONE: Final = "nothing to compare with: this is the only trace of this problem"


@dataclass
class ComparedRead(Message):
    compared: Compared


@dataclass
class NoPartner(Message):
    alone: Alone


@dataclass
class LaidOut(Message):
    """The texts in columns of the present width."""

    of: Compared
    spread: Spread


class CompareScreen(ExplorerScreen[int]):
    """Hands back the step at which the trace it was opened on has been left, from 1."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "enter", "open", "read", key_display="Enter", id="compare.open", tooltip="Read the trace of the chosen side alone"
        ),
        Binding(
            "tab,shift+tab",
            "choose",
            "side",
            key_display="Tab",
            id="compare.choose",
            tooltip="Choose the other side: steps go by it, Enter reads it. Where there is room for one, show it",
        ),
        Binding(
            "right_square_bracket",
            "partner(1)",
            "next partner",
            key_display="]",
            group=_PARTNER,
            id="compare.next_partner",
            tooltip="Hold the next trace of the other run against this one",
        ),
        Binding(
            "left_square_bracket",
            "partner(-1)",
            "previous partner",
            key_display="[",
            group=_PARTNER,
            id="compare.previous_partner",
            tooltip="Hold the trace before that against this one",
        ),
        Binding(
            "n",
            "difference(1)",
            "next difference",
            group=_DIFFERENCE,
            id="compare.next_difference",
            tooltip="To the next step that differs",
        ),
        Binding(
            "N",
            "difference(-1)",
            "previous difference",
            group=_DIFFERENCE,
            id="compare.previous_difference",
            tooltip="To the step before that differs",
        ),
        Binding(
            "right_curly_bracket",
            "step(1)",
            "next step",
            key_display="}",
            group=_STEP,
            id="compare.next_step",
            tooltip="Next step of the chosen side; the other side goes along",
        ),
        Binding(
            "left_curly_bracket",
            "step(-1)",
            "previous step",
            key_display="{",
            group=_STEP,
            id="compare.previous_step",
            tooltip="Previous step of the chosen side",
        ),
        Binding("s", "swap", "swap", id="compare.swap", tooltip="Swap the sides"),
        Binding("m", "raw", "raw", id="compare.raw", tooltip="The texts as they came, every unseen character spelled out"),
        Binding("R", "again", "read again", show=False, id="compare.again", tooltip="Read both traces again"),
        Binding(
            "escape,equals_sign", "back", "back", key_display="Esc", id="compare.back", tooltip="Back to where you came from"
        ),
    ]

    DEFAULT_CSS = """
    CompareScreen #between { padding: 0 1; }
    CompareScreen #sides { background: $crumb-line; }
    CompareScreen.-low #between { max-height: 1; }
    """

    chosen: reactive[int] = reactive(0, init=False)
    """The side that is chosen: 0 left, 1 right."""
    raw: reactive[bool] = reactive(False, init=False)

    def __init__(self, session: Session, pair: Pair, sample_id: int, other_sample_id: int | None = None, step: int = 1) -> None:
        super().__init__(session)
        self.pair = pair
        self._sample_id = sample_id
        self._other_sample_id = other_sample_id
        self._step_wanted = step
        self._compared: Compared | None = None
        self._wanted: Partners | None = None
        """Where the keys have got to among the partners; what is on screen follows once it has been read."""
        self._alone: Alone | None = None

    def compose(self) -> ComposeResult:
        yield Crumbs()
        yield Lines(id="between")
        yield Lines(id="sides")
        yield TwoTexts(id="texts")
        yield KeyLine()

    def on_mount(self) -> None:
        self._texts.focus()
        self._texts.clear("comparing …")
        self.set_crumbs(self.pair.board.benchmark, "compare")
        self._read_first()

    @property
    def compared(self) -> Compared | None:
        return self._compared

    @property
    def here(self) -> Here | None:
        if self._compared is None:
            return None if self._alone is None else Here(self.pair, self._alone.own.problem, self._alone.own.link)
        trace, step = self._compared.sides[self.chosen], self._step_of(self.chosen)
        return Here(self.pair, trace.problem, replace(trace.link, step=step if step > 1 else None))

    @property
    def _texts(self) -> TwoTexts:
        return self.query_one(TwoTexts)

    @on(ComparedRead)
    def show_compared(self, message: ComparedRead) -> None:
        compared, before = message.compared, self._compared
        if before is None:
            self.chosen = compared.own
        else:
            self._step_wanted = self._step_of(before.own)
            compared = compared if compared.own == before.own else compared.swapped()
        self._compared, self._wanted = compared, compared.partners
        self._show_heading()
        self._lay_out()

    @on(NoPartner)
    def say_alone(self, message: NoPartner) -> None:
        self._alone = message.alone
        problem = message.alone.own.problem
        self._texts.clear(_ALONE)
        self.set_crumbs(problem.benchmark, problem.key, "compare")
        self._show_heading()
        self.refresh_bindings()

    @on(LaidOut)
    def show_texts(self, message: LaidOut) -> None:
        if message.of is not self._compared:
            return
        shown, divergence = self._texts.spread, message.spread.divergence
        if shown is not None and sorted(shown.divergence.texts) == sorted(divergence.texts):
            self._texts.turn(message.spread)
        else:
            self._texts.show(message.spread, divergence.at_step(message.of.own, self._step_wanted - 1))
        self._show_crumbs()
        self.refresh_bindings()

    @on(TwoTexts.Moved)
    def show_where(self) -> None:
        self._show_crumbs()

    @on(TwoTexts.Narrowed)
    def fit(self) -> None:
        self._show_heading()
        self._lay_out()

    @on(TwoTexts.Clicked)
    def choose_clicked(self, message: TwoTexts.Clicked) -> None:
        self.chosen = message.side

    @on(CouldNotRead)
    def stay(self) -> None:
        """The next key starts from what is on screen again."""
        self._wanted = self._compared.partners if self._compared is not None else None
        if self._compared is None:
            self._texts.clear("could not be read: R tries again")

    def watch_chosen(self) -> None:
        self._show_heading()
        self._show_crumbs()
        if self._texts.is_narrow:
            self._lay_out()

    def watch_raw(self) -> None:
        self._show_crumbs()
        self._lay_out()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """No key, and no word of it on the last line, for a way with nowhere to go."""
        match action:
            case "partner":
                return self._wanted is not None and len(self._wanted.rows) > 1
            case "open" | "choose" | "swap" | "raw" | "step":
                return self._compared is not None
            case "difference":
                divergence = self._compared.divergence if self._compared is not None else None
                return divergence is not None and divergence.first is not None
        return super().check_action(action, parameters)

    def action_open(self) -> None:
        if self._compared is not None:
            trace, rows = self._compared.sides[self.chosen], self._compared.rows
            at = next(place for place, row in enumerate(rows) if row.sample_id == trace.row.sample_id)
            walk = Walk((trace.problem,), 0, rows, at, ALL)
            self.go("reader", self.pair, walk, self._step_of(self.chosen))

    def action_choose(self) -> None:
        self.chosen = 1 - self.chosen

    def action_partner(self, by: int) -> None:
        if self._wanted is None or self._compared is None:
            return
        found = self._wanted.next(by)
        if found is None:
            self.say_end(by, "partner")
            return
        self._wanted = found
        session, compared, chosen = self.session, self._compared, found
        self.read("compare", lambda: ComparedRead(compare_next(session, compared, chosen)))

    def action_difference(self, by: int) -> None:
        divergence = self._texts.spread.divergence if self._texts.spread is not None else None
        if divergence is None:
            return
        differing, at = divergence.differing, self._texts.current
        found = [each for each in differing if each > at] if by > 0 else [each for each in reversed(differing) if each < at]
        if found:
            self._texts.come_to(found[0])
        else:
            self.say("no further difference" if by > 0 else "no difference before this")

    def action_step(self, by: int) -> None:
        divergence = self._texts.spread.divergence if self._texts.spread is not None else None
        if divergence is None:
            return
        at = self._texts.current
        facings = divergence.facings[at + 1 :] if by > 0 else divergence.facings[:at][::-1]
        ahead = next((place for place, facing in enumerate(facings, 1) if facing.of(self.chosen) is not None), None)
        if ahead is not None:
            self._texts.come_to(at + by * ahead)

    def action_swap(self) -> None:
        if self._compared is not None:
            self._compared = self._compared.swapped()
            self.chosen = 1 - self.chosen
            self._show_heading()
            self._lay_out()

    def action_raw(self) -> None:
        self.raw = not self.raw

    def action_again(self) -> None:
        self._read_first()

    def action_back(self) -> None:
        self.dismiss(self._step_of(self._compared.own) if self._compared is not None else self._step_wanted)

    def study_changed(self) -> None:
        """Verdicts and labels may be other ones now; the texts are not."""
        self._read_first()

    def _read_first(self) -> None:
        """Read the trace, and whom to hold it against: the one on screen, where there is one."""
        session, pair, sample_id, before = self.session, self.pair, self._sample_id, self._compared
        asked = self._other_sample_id if before is None else before.sides[1 - before.own].row.sample_id

        def work() -> Message:
            found = compare(session, pair, sample_id, asked)
            return NoPartner(found) if isinstance(found, Alone) else ComparedRead(found)

        self.read("compare", work)

    def _lay_out(self) -> None:
        compared, view, raw = self._compared, self._texts, self.raw
        if compared is not None and view.view_width:
            width, side = view.text_width, self.chosen if view.is_narrow else None
            self.read("layout", lambda: LaidOut(compared, laid_out(compared, width, raw=raw, side=side)))

    def _step_of(self, side: int) -> int:
        """The step of one side that is read, from 1."""
        spread = self._texts.spread
        return 1 if spread is None else spread.divergence.step_near(side, self._texts.current) + 1

    def _show_heading(self) -> None:
        compared, view = self._compared, self._texts
        if compared is None:
            width = max(20, self.size.width - 1)
            self.query_one("#sides", Lines).lines = [self._side(self._alone.own, width, chosen=True)] if self._alone else []
            return
        width = self.size.width if view.is_narrow else view.pane_width
        one, two = (self._side(trace, width, chosen=side == self.chosen) for side, trace in enumerate(compared.sides))
        self.query_one("#sides", Lines).lines = [one, two] if view.is_narrow else [[*one, dim("│"), *two]]
        said = between(compared.divergence, *compared.sides, compared.partners)
        self.query_one("#between", Lines).lines = flow(said, self.size.width - 2)

    def _side(self, trace: Trace, width: int, *, chosen: bool) -> Line:
        words = dict(zip((run.run_id for run in self.pair.runs), self.pair.words, strict=False))
        word = words.get(trace.run.run_id) or short_names(self.pair.board.runs)[trace.run.run_id]
        return side_line(trace, self.pair.mark(trace.run.run_id), word, width, chosen=chosen)

    def _show_crumbs(self) -> None:
        compared, laid = self._compared, self._texts.spread
        if compared is None or laid is None:
            return
        notes: list[Line] = [[("raw", Tone.ACCENT)]] if self.raw else []
        differing, at = laid.divergence.differing, self._texts.current
        passed = sum(each <= at for each in differing)
        notes.append(
            [dim("difference "), plain(f"{passed or NONE} of {len(differing)}")] if differing else [dim("no difference")]
        )
        notes.append([dim("step "), *self._steps(laid, at)])
        problem = compared.sides[0].problem
        self.set_crumbs(problem.benchmark, problem.key, "compare", notes=notes)

    def _steps(self, laid: Spread, at: int) -> Line:
        facing, steps = laid.divergence.facings[at] if laid.divergence.facings else None, laid.divergence.steps
        said = []
        for side in (0, 1):
            step = facing.of(side) if facing is not None else None
            said.append(f"{NONE if step is None else step + 1}/{len(steps[side])}")
        return [plain(f"{said[0]} │ {said[1]}")]
