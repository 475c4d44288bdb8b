"""The data behind each plot: made by the engine's functions for one pair of runs, and kept as long as its boards are.

Everything here is slow (numpy, intervals by resampling): call `picture` in a worker. No Textual, and no numbers of its own:
what is drawn, read out, listed and saved is one `Picture`.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import TYPE_CHECKING

from explorer.model.session import Pair, Session
from explorer.render.plots.picture import Picture
from store.rows import ProblemRow

if TYPE_CHECKING:
    from engine.likelihoods import PairLikelihoods
    from explorer.model.pictures_of_pairs import PairCounts


class Kind(StrEnum):
    """The plots, in the order of their chips."""

    PROBLEM = "problem"
    PASS = "pass@k"  # noqa: S105 - no password
    DIFFERENCE = "difference"
    ACCURACY = "accuracy"
    LENGTHS = "lengths"
    PERPLEXITY = "perplexity"
    SUPPORT = "support"
    RECOVERY = "recovery"
    PERPLEXITY_STEPS = "ppl steps"
    SETS = "sets"
    COVERAGE = "coverage"
    STEPS = "steps"
    TEMPERATURES = "temperatures"
    RUNS = "runs"


class Pictures:
    """The pictures of one pair, each made when it is first asked for."""

    def __init__(self, session: Session, pair: Pair, problem: ProblemRow | None = None) -> None:
        self._session = session
        self.pair = pair
        self.problem = problem
        self._made: dict[Kind, Picture] = {}
        self._counts: PairCounts | None = None
        self._likelihoods: PairLikelihoods | None = None

    def kinds(self) -> list[Kind]:
        """Those there can be: of one problem only where somebody comes from one."""
        return [kind for kind in Kind if kind is not Kind.PROBLEM or self.problem is not None]

    def known(self, kind: Kind) -> Picture | None:
        """The picture where it was made before."""
        return self._made.get(kind)

    def picture(self, kind: Kind) -> Picture:
        """The picture, made now where it is not there. Raises StudyError where the study cannot be read."""
        # plotext is imported here, in the worker, so that the widget finds it ready.
        import explorer.render.plots.drawing  # noqa: F401

        if kind not in self._made:
            self._made[kind] = self._makers()[kind]()
        return self._made[kind]

    def _makers(self) -> dict[Kind, Callable[[], Picture]]:
        from explorer.model import pictures_of_likelihoods as of_likelihoods
        from explorer.model import pictures_of_pairs as of_pairs
        from explorer.model import pictures_of_recovery as of_recovery
        from explorer.model import pictures_of_runs as of_runs
        from explorer.model import pictures_of_traces as of_traces

        pair, session = self.pair, self._session
        return {
            Kind.PROBLEM: lambda: of_traces.problem(session, pair, self.problem),
            Kind.PASS: lambda: of_pairs.pass_at_k(self._paired()),
            Kind.DIFFERENCE: lambda: of_pairs.difference(self._paired()),
            Kind.ACCURACY: lambda: of_pairs.accuracy(self._paired()),
            Kind.LENGTHS: lambda: of_traces.lengths(session, pair),
            Kind.PERPLEXITY: lambda: of_likelihoods.perplexity(session, pair),
            Kind.SUPPORT: lambda: self._with_likelihoods(of_recovery.support),
            Kind.RECOVERY: lambda: self._with_likelihoods(of_recovery.recovery),
            Kind.PERPLEXITY_STEPS: lambda: of_likelihoods.by_step(session, pair),
            Kind.SETS: lambda: of_pairs.sets(self._paired()),
            Kind.COVERAGE: lambda: of_pairs.coverage(self._paired()),
            Kind.STEPS: lambda: of_runs.steps(pair),
            Kind.TEMPERATURES: lambda: of_runs.temperatures(pair),
            Kind.RUNS: lambda: of_runs.all_runs(pair),
        }

    def _with_likelihoods(self, make: Callable[[Session, PairLikelihoods, Pair], Picture]) -> Picture:
        """A picture of what the models of both runs think, which is read once."""
        if self.pair.other is None:
            return Picture("likelihoods", "likelihoods", notes=("there is one run of this benchmark only: nothing to compare",))
        if self._likelihoods is None:
            from engine.likelihoods import read_pair

            with self._session.apart() as study:
                self._likelihoods = read_pair(study, self.pair.board, *self.pair.runs)
        return make(self._session, self._likelihoods, self.pair)

    def _paired(self) -> PairCounts:
        """Counts and comparison, which several pictures are made from."""
        from explorer.model.pictures_of_pairs import PairCounts

        if self._counts is None:
            self._counts = PairCounts.of(self.pair)
        return self._counts
