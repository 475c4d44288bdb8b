"""What Compare shows of two traces, prepared away from the screen: `Compared`, made in workers. No Textual here."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from explorer.model.divergence import Divergence, diverge
from explorer.model.partners import Partners, partners
from explorer.model.reading import document_of
from explorer.render.page import Document
from explorer.render.spread import Spread, spread

if TYPE_CHECKING:
    from explorer.model.session import Pair, Session
    from store.rows import Trace, TraceRow


@dataclass(frozen=True, slots=True)
class Compared:
    """Two traces that have been held against each other, as they stand: left and right."""

    sides: tuple[Trace, Trace]
    documents: tuple[Document, Document]
    own: int
    """The side of the trace that was there first; the other one is its partner."""
    partners: Partners
    rows: tuple[TraceRow, ...]
    """All traces of the problem."""
    divergence: Divergence

    def swapped(self) -> Compared:
        """The same with the sides exchanged."""
        return replace(
            self,
            sides=self.sides[::-1],
            documents=self.documents[::-1],
            own=1 - self.own,
            divergence=self.divergence.swapped(),
        )


@dataclass(frozen=True, slots=True)
class Alone:
    """A trace that there is nothing to hold against."""

    own: Trace


def compare(session: Session, pair: Pair, sample_id: int, asked: int | None = None) -> Compared | Alone:
    """The trace and its partner; asked: the sample_id of who is to be it. Raises StudyError."""
    own = session.trace(sample_id)
    rows = tuple(session.traces(own.problem, pair.runs_first()))
    wanted = None if asked is None else session.trace(asked).row
    found = partners(own.row, rows, pair, session.study.texts.response, wanted)
    if not found.rows:
        return Alone(own)
    partner = session.trace(found.row.sample_id)
    # The pair's baseline stands on the left, and so does a trace that is held against another one of its own run.
    own_side = int(own.run != partner.run and partner.run.run_id == pair.base.run_id)
    return _compared(own, partner, own_side, found, rows)


def compare_next(session: Session, compared: Compared, found: Partners) -> Compared:
    """The same trace and another partner. Raises StudyError."""
    own = compared.sides[compared.own]
    return _compared(own, session.trace(found.row.sample_id), compared.own, found, compared.rows)


def laid_out(compared: Compared, width: int, *, raw: bool, side: int | None) -> Spread:
    """Both texts in columns of that width. side: that one alone."""
    one, two = (replace(document, raw=raw) for document in compared.documents)
    return spread(compared.divergence, (one, two), width, side)


def _compared(own: Trace, partner: Trace, own_side: int, found: Partners, rows: tuple[TraceRow, ...]) -> Compared:
    left, right = (partner, own) if own_side else (own, partner)
    documents = document_of(left), document_of(right)
    return Compared((left, right), documents, own_side, found, rows, diverge(left.response, right.response))
