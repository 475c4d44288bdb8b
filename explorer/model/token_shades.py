"""What models think of one trace, token by token, ready for the Reader. No Textual here.

`read_tokens` reads the scores in a worker and makes `Tokens`: one `Lens` for every way to look at them, the surprisal under a
base model first, then what tells the two models of the screen apart. A lens is made when it is first asked for, and kept; what
a person reads of one token (`Tokens.facts`) is looked up when they go there.

Of many scorers those are looked at that the screen is about: the base model, the one that drew the trace, the one it is held
against. A key that goes through all checkpoints of a series would be of no use.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from math import inf
from shlex import quote
from typing import TYPE_CHECKING, Final

from engine.analyses.parting import Parting, part
from engine.analyses.support import margin_of
from explorer.render.forks import AtToken, Choice, View
from explorer.render.pieces import Tone
from explorer.render.shades import OUTSIDE, Shades, changes, ratio_bars, surprisal_bars, surprises
from explorer.render.words import role_of
from store.types import Model, Role

if TYPE_CHECKING:
    from engine.trace_tokens import TraceTokens
    from explorer.model.session import Session
    from store.likelihoods import TokenScoreRow
    from store.rows import Trace
    from store.token_scores import TokenScores

_VOICES: Final = 3
"""Scorers that are looked at where a screen compares two models: a base model, the trace's own, the other one."""
_CHARS: Final = 400
"""Of one token that are looked at: what is shown of it is far less."""


class Kind(StrEnum):
    """What the shades of a lens say."""

    SURPRISAL = "surprisal"
    RATIO = "log-ratio"


@dataclass(frozen=True, slots=True)
class Way:
    """A lens by name: it stays the same from trace to trace."""

    kind: Kind
    name: str
    revision: str
    """Of the scorer; of a log-ratio, the other one."""


@dataclass(frozen=True, slots=True)
class Voice:
    """One scorer's word on the trace."""

    word: str
    """Its role where that tells the scorers apart, else its name."""
    row: TokenScoreRow
    margin: float
    """Of the nucleus's edge: what is nearer to it may be rounding."""

    @property
    def scores(self) -> TokenScores:
        return self.row.scores

    @property
    def tone(self) -> Tone:
        return Tone.BASE if self.row.scorer.role is Role.BASE else Tone.OTHER

    def way(self, kind: Kind) -> Way:
        return Way(kind, self.row.scorer.name, self.row.scorer.revision)


@dataclass(frozen=True, slots=True)
class Lens:
    """One way to look at the trace."""

    way: Way
    said: str
    """What it is: "surprisal under base", "log-ratio RL to base"."""
    voice: Voice
    """Whose forks these are: the other model where two are held against each other."""
    values: Sequence[float]
    """[tokens] nats: surprisal, or the log-ratio."""
    shades: Shades
    forks: Sequence[int]
    """Places of tokens, ascending."""
    decisive: Sequence[int]
    """The same, the one with most to say first."""
    forks_known: bool
    most: tuple[int, float] | None
    """The step with most nats of surprisal, or where the ratio falls fastest, and how many; None where none stands out."""
    outside: int
    """Tokens that the decoding could never draw from `voice`."""

    @property
    def is_ratio(self) -> bool:
        return self.way.kind is Kind.RATIO


@dataclass(frozen=True, slots=True)
class Tokens:
    """One trace's tokens, their places known, under its scorers."""

    found: TraceTokens
    voices: tuple[Voice, ...]
    """A base model's first."""
    reference: Voice
    """What others are held against: the one that drew the trace; where that has not gone through it, the first."""
    compared: tuple[Voice, ...]
    """What is held against it, that of the screen's other model first."""
    ends: Sequence[int]
    """[tokens] Where each ends in the text; a part of a character with that character."""
    lenses: dict[Way, Lens] = field(default_factory=dict)
    """Those made so far."""

    @property
    def ways(self) -> list[Way]:
        """In the order in which a key goes through them."""
        surprisals = [voice.way(Kind.SURPRISAL) for voice in self.voices]
        counterpart = [voice.way(kind) for voice in self.compared[:1] for kind in (Kind.RATIO, Kind.SURPRISAL)]
        ratios = [voice.way(Kind.RATIO) for voice in self.compared]
        return list(dict.fromkeys([surprisals[0], *counterpart, *ratios, *surprisals]))

    @property
    def telling(self) -> Way:
        """What is shaded where somebody asks for forks before anything was: where the two models part, else surprisal."""
        return self.compared[0].way(Kind.RATIO) if self.compared else self.ways[0]

    def lens(self, way: Way) -> Lens | None:
        """None where the trace cannot be looked at that way."""
        found = self.lenses.get(way)
        if found is None:
            voice = next((voice for voice in self.voices if voice.way(way.kind) == way), None)
            if voice is None or way not in self.ways:
                return None
            found = self.lenses[way] = self._lens(way, voice)
        return found

    def facts(self, lens: Lens, token: int) -> AtToken:
        """What there is to say of one token."""
        at, begun = bisect_left(lens.forks, token), self.starts[token]
        pair = [self.reference, lens.voice] if lens.is_ratio else self.voices
        return AtToken(
            text=self.found.response[begun : self.ends[token]][:_CHARS],
            part=not self.found.text(token),
            place=token,
            tokens=self.found.tokens,
            step=max(1, bisect_right(self.found.steps, begun)),
            fork=(at + 1 if token in lens.forks[at : at + 1] else None, len(lens.forks)),
            ratio=lens.values[token] if lens.is_ratio else None,
            views=tuple(_view(voice, token) for voice in sorted(pair, key=_base_first)),
            chooser=(lens.voice.word, lens.voice.tone),
            choices=tuple(self._choices(lens.voice, token)),
            choices_known=lens.forks_known,
        )

    @property
    def starts(self) -> Sequence[int]:
        return self.found.starts or ()

    def _choices(self, voice: Voice, token: int) -> Iterator[Choice]:
        for one in (voice.scores.others or {}).get(token, ()):
            yield Choice(self.found.pieces.get(one.token_id, "")[:_CHARS], one.token_id, one.logp)

    def _lens(self, way: Way, voice: Voice) -> Lens:
        if way.kind is Kind.RATIO:
            held = self.reference
            parting = part(held.scores, voice.scores, self.found.steps)
            values = parting.ratio or ()
            return self._of(way, f"log-ratio {voice.word} to {held.word}", voice, parting, values, changes(values))
        parting = part(voice.scores, None, self.found.steps)
        surprisal = parting.surprisal
        return self._of(way, f"surprisal under {voice.word}", voice, parting, surprisal, surprises(surprisal))

    def _of(self, way: Way, said: str, voice: Voice, parting: Parting, values: Sequence[float], levels: list[int]) -> Lens:
        outside = _outside(voice.scores)
        for token in outside:
            levels[token] = OUTSIDE
        is_ratio, steps = way.kind is Kind.RATIO, parting.step_of or ()
        ratios, surprisals = ([step.ratio for step in parting.steps], [-step.own for step in parting.steps])
        bars = ratio_bars(ratios) if is_ratio else surprisal_bars(surprisals)
        most = next(iter(parting.falling_steps(1)), None)
        return Lens(
            way=way,
            said=said,
            voice=voice,
            values=values,
            shades=Shades(self.starts[:-1], self.ends, levels, bars, frozenset(steps[token] for token in outside)),
            forks=[fork.place for fork in parting.forks],
            decisive=[fork.place for fork in parting.decisive(len(parting.forks))],
            forks_known=parting.forks_known,
            most=None if most is None else (most.step, (most.ratio or 0.0) if is_ratio else -most.own),
            outside=len(outside),
        )


def read_tokens(session: Session, trace: Trace, way: Way | None = None, beside: Sequence[Model] = ()) -> Tokens | str:
    """The trace's tokens, with the lens of that way made, or of the first one; where there are none, why, and what brings them.

    beside: the models that the screen compares; () where every scorer is of interest. Raises StudyError.
    """
    from engine.trace_tokens import trace_tokens

    found = trace_tokens(session.study, trace.row.sample_id)
    if found is None:
        return _how_to_score(session, trace)
    if found.starts is None:
        return "scored token by token, but the token ids read otherwise than this text: no word can be said to be a token"
    rows = _looked_at(found, beside)
    words = _words([row.scorer for row in rows])
    reference, *others = (Voice(word, row, _margin(trace, row)) for word, row in zip(words, rows, strict=True))
    voices = tuple(sorted([reference, *others], key=_base_first))
    tokens = Tokens(found, voices, reference, tuple(others), _ends(found.starts))
    tokens.lens(tokens.ways[0] if way is None else way)
    return tokens


def _looked_at(found: TraceTokens, beside: Sequence[Model]) -> Sequence[TokenScoreRow]:
    """What others are held against, then the model of the screen that is not that one, then a base model's.

    All scorers where no model of the screen, no base model and not the one that drew the trace is among them.
    """
    from engine.trace_tokens import is_model

    base = next((row for row in found.rows if row.scorer.role is Role.BASE), None)
    pair = [row for model in reversed(beside) for row in found.rows if is_model(row.scorer, model.name, model.revision)]
    held = found.own or base
    chosen = {id(row): row for row in (held, *pair, base) if row is not None}
    return list(chosen.values())[:_VOICES] if beside and chosen else found.rows


def _how_to_score(session: Session, trace: Trace) -> str:
    line = f"basebound score {quote(str(session.study.path))} --scorer DIR --of {trace.run.slug} --tokens"
    return f"this trace was not scored token by token; a model in DIR does it: {line}"


def _base_first(voice: Voice) -> bool:
    return voice.row.scorer.role is not Role.BASE


def _words(models: Sequence[Model]) -> list[str]:
    """Roles where each has another one, else names."""
    roles = Counter(role_of(model) for model in models)
    return [role_of(model) if roles[role_of(model)] == 1 else _name(model) for model in models]


def _name(model: Model) -> str:
    return model.name.rsplit("/", 1)[-1] + ("" if model.step is None else f" step {model.step}")


def _margin(trace: Trace, row: TokenScoreRow) -> float:
    """The widest of those that fit the scorer's name: its sums say in which arithmetic they were computed."""
    told = [one.dtype for one in trace.scores if (one.scorer, one.step) == (row.scorer.name, row.scorer.step)]
    return max((margin_of(dtype, row.top_p) for dtype in told), default=0.0)


def _ends(starts: Sequence[int]) -> list[int]:
    """Of each token; one that brings nothing has the end of the next that does."""
    ends = list(starts[1:])
    empty = [token for token, (start, end) in enumerate(zip(starts, ends, strict=False)) if start == end]
    for token in reversed(empty):
        if token + 1 < len(ends):
            ends[token] = ends[token + 1]
    return ends


def _outside(scores: TokenScores) -> list[int]:
    return [] if scores.decoded is None else [token for token, nats in enumerate(scores.decoded) if nats == -inf]


def _view(voice: Voice, token: int) -> View:
    row, scores = voice.row, voice.row.scores
    decoded = None if scores.decoded is None else scores.decoded[token]
    return View(
        name=voice.word,
        tone=voice.tone,
        logp=scores.logp[token],
        entropy=None if scores.entropy is None else scores.entropy[token],
        decoded=decoded,
        edge=None if scores.edge is None else scores.edge[token],
        decoding=(row.temperature, row.top_p, row.top_k),
        margin=voice.margin,
    )
