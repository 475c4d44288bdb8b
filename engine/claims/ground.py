"""What claims are judged on: a study, a board, and the pairs of runs that roles tell or somebody asked for.

Standard library only; comparisons import numpy when a claim asks for one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from engine.board import Board, compared_with, reference_run
from engine.claims.base import LARGE_K, LEVEL, Claim, Found, Measured, counted, found
from store.names import number_text
from store.reader import Study
from store.rows import RunRow
from store.types import Role

if TYPE_CHECKING:
    from engine.analyses.pairs import Comparison

Ints = tuple[int, ...]

_LONGEST: Final = 32
"""Of a prompt's template, on a line of settings."""

_SAID: Final = (
    ("T", "temperature"),
    ("top-p", "top_p"),
    ("prompt", "prompt_template"),
    ("max tokens", "max_tokens"),
    ("cap", "context_cap"),
)


@dataclass(frozen=True, slots=True)
class Pair:
    """Two runs on the problems both were judged on; the counts are [problems], in the order of `keys`."""

    base: RunRow
    other: RunRow
    keys: tuple[str, ...]
    base_n: Ints
    base_c: Ints
    other_n: Ints
    other_c: Ints

    @property
    def k(self) -> int:
        """The common k: the smallest n of both."""
        return min(*self.base_n, *self.other_n)

    @property
    def size(self) -> str:
        """How many problems, in words."""
        return counted(len(self.keys), "problem")

    @property
    def exchangeable(self) -> bool:
        """Has every problem as many samples of one run as of the other?"""
        return self.base_n == self.other_n

    @property
    def whole(self) -> bool:
        """Is every n of both the common k, so that k draws are all there is and each problem is solved or is not?"""
        return {*self.base_n, *self.other_n} == {self.k}

    @property
    def counts(self) -> tuple[Ints, Ints, Ints, Ints]:
        return self.base_n, self.base_c, self.other_n, self.other_c


class Ground:
    """base, other: the runs to compare, or None for every pair that roles and parents tell. direct: a run of direct answers,
    without a chain of thought, which tells how easily problems are guessed."""

    def __init__(
        self,
        study: Study,
        board: Board,
        base: RunRow | None = None,
        other: RunRow | None = None,
        direct: RunRow | None = None,
        level: float = LEVEL,
        seed: int = 0,
    ) -> None:
        self.study = study
        self.board = board
        self.base = base
        self.other = other
        self.direct = direct
        self.level = level
        self.seed = seed
        self._compared: dict[tuple[int, int], Comparison] = {}

    @property
    def alpha(self) -> float:
        return 1 - self.level

    @property
    def verifier(self) -> str | None:
        """Whose verdicts the board shows, where it is one verifier's; None for the deciding ones."""
        return self.board.verifier if self.board.verifier in self.study.verifiers() else None

    def pairs(self) -> list[Pair]:
        """The pairs that claims about RL speak of: the run asked for; else RL runs, or where none is known as RL those
        whose role nobody told, each with its reference. Pairs without a shared problem are left out."""
        if self.other is not None:
            return [] if self.other.model.role is Role.DISTILLED else self._paired([self.other])
        runs = self.with_role(Role.RL) or self.with_role(Role.OTHER)
        return self._paired(run for run in runs if run not in (self.base, self.direct))

    def distilled(self) -> list[Pair]:
        """Distilled runs, each with its reference: the one asked for where it is one."""
        if self.other is not None and self.other.model.role is Role.DISTILLED:
            return self._paired([self.other])
        return self._paired(self.with_role(Role.DISTILLED))

    def bases(self) -> list[RunRow]:
        """The runs that others are held against; where nothing is, the base model's own."""
        paired = {pair.base.run_id: pair.base for pair in self.pairs()}
        alone = self.base or reference_run(self.board.runs)
        return list(paired.values()) or ([] if alone is None else [alone])

    def with_role(self, role: Role) -> list[RunRow]:
        return [run for run in self.board.runs if run.model.role is role]

    def reference(self, run: RunRow) -> RunRow | None:
        """The run it is held against."""
        if self.base is not None:
            return self.base
        return compared_with(self.board.runs, run) if run == self.other else reference_run(self.board.runs, run)

    def pair(self, base: RunRow, other: RunRow, among: Sequence[RunRow] = ()) -> Pair | None:
        """The two on the problems that they, and the runs `among`, were judged on; None where there are none."""
        problems = self.board.judged(base, other, *among)
        if not problems or base.run_id == other.run_id:
            return None
        ours, theirs = ([self.board.cells[run.run_id, p.problem_id] for p in problems] for run in (base, other))
        return Pair(
            base=base,
            other=other,
            keys=tuple(problem.key for problem in problems),
            base_n=tuple(count.n for count in ours),
            base_c=tuple(count.correct for count in ours),
            other_n=tuple(count.n for count in theirs),
            other_c=tuple(count.correct for count in theirs),
        )

    def comparison(self, pair: Pair) -> Comparison:
        """The two runs along the grid of k up to their common k; made once, whichever claims ask for it."""
        from engine.analyses.pairs import compare

        ids = pair.base.run_id, pair.other.run_id
        if ids not in self._compared:
            self._compared[ids] = compare(*pair.counts, level=self.level, seed=self.seed)
        return self._compared[ids]

    def over_pairs(self, claim: Claim, judge: Callable[[Ground, Pair], Found]) -> list[Found]:
        """What `judge` finds of each pair; one "cannot tell" where there is none."""
        return [judge(self, pair) for pair in self.pairs()] or [self.cannot_tell(claim, self.no_pair())]

    def found(self, claim: Claim, pair: Pair, measured: Measured, reason: str) -> Found:
        """What was measured of a pair at its common k."""
        return self._of_pair(claim, pair, reason, measured)

    def cannot_tell(self, claim: Claim, reason: str, pair: Pair | None = None) -> Found:
        """The reason says what is missing and which command brings it."""
        if pair is not None:
            return self._of_pair(claim, pair, reason, None)
        return found(claim, reason, self.settings(self.board.runs))

    def of_run(self, claim: Claim, run: RunRow, reason: str, measured: Measured | None = None) -> Found:
        """What was measured of one run alone; without that, what cannot be told of it."""
        problems = len(self.board.counts(run))
        return found(claim, reason, self.settings([run]), measured, runs=(run.slug, None), problems=problems)

    def _of_pair(self, claim: Claim, pair: Pair, reason: str, measured: Measured | None) -> Found:
        settings = self.settings([pair.base, pair.other], pair.k)
        slugs = pair.base.slug, pair.other.slug
        return found(claim, reason, settings, measured, runs=slugs, k=pair.k, problems=len(pair.keys))

    def settings(self, runs: Sequence[RunRow], k: int | None = None) -> str:
        """k, n, how the runs were drawn and who judged, on one line; where they differ, all values."""
        n = sorted({count.n for run in runs for count in self.board.counts(run)})
        said = [] if k is None else [f"k {k}"]
        if n:
            said.append(f"n {n[0]}" if len(n) == 1 else f"n {n[0]}-{n[-1]}")
        for word, name in _SAID:
            values = dict.fromkeys(_short(number_text(getattr(run.settings, name))) for run in runs)
            said.append(f"{word} {' / '.join(values) or 'unknown'}")
        return " · ".join([*said, f"verifier {self.board.verifier}"])

    def no_pair(self) -> str:
        """Why there is no pair of runs, and what to do."""
        db = self.study.path
        if self.other is not None and self.other.model.role is Role.DISTILLED:
            return f"{self.other.name} is distilled, and the claim is of RL: name an RL run with --other RUN, or none for all"
        if len(self.board.runs) < 2:
            return f"needs two runs, and there is one: `basebound import {db} FILE...` or `basebound sample` adds one"
        if reference_run(self.board.runs) is None and self.base is None:
            roles = f"`basebound import {db} FILE --role MODEL=base`"
            return f"needs two runs, and none is known as base: name one with --base RUN, or {roles}"
        return (
            "no RL run shares a judged problem with a base run: name one with --other RUN, or tell its role with"
            f" `basebound import {db} FILE --role MODEL=rl`"
        )

    def lacking(self, reason: str) -> str:
        """The reason why a claim about several runs cannot be judged; of one run alone, that there is one."""
        return self.no_pair() if len(self.board.runs) < 2 else reason

    def too_few(self, needs: str, k: int, problems: int) -> str:
        """Why a claim about large k cannot be judged at this common k, and what to do."""
        over = counted(problems, "problem")
        return (
            f"{needs}, and the common k is {k} (over {over}), less than {LARGE_K}: draw more samples of each run"
            f" with `basebound sample {self.study.path}`, or import them"
        )

    def _paired(self, runs: Iterable[RunRow]) -> list[Pair]:
        pairs = [(self.reference(run), run) for run in runs]
        paired = [self.pair(base, other) for base, other in pairs if base is not None]
        return [pair for pair in paired if pair is not None]


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
