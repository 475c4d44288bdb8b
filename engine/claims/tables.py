"""Numbers that others have published, as frozen data: Yue et al. 2025 (arXiv 2504.13837), tables 2 to 5, figures as said.

Tables 2 and 3 give pass@1 and pass@256 in percent, of Qwen2.5-7B and what six algorithms (table 2) and more steps of GRPO
(table 3) made of it. Tables 4 and 5 give which problems the base and the RL model solve: of AIME24 at k = 1024, numbered from
0, and of LiveCodeBench's problems 400 to 450. Nothing here is corrected.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

PAPER: Final = "Yue et al. 2025, arXiv 2504.13837"


@dataclass(frozen=True, slots=True)
class Row:
    """One model of tables 2 and 3: (pass@1, pass@256) in percent on each benchmark."""

    model: str
    omni_train: tuple[float, float]
    omni_test: tuple[float, float]
    math500: tuple[float, float]

    def on(self, benchmark: str) -> tuple[float, float]:
        return {"Omni-Train": self.omni_train, "Omni-Test": self.omni_test, "MATH500": self.math500}[benchmark]


BENCHMARKS: Final = ("Omni-Train", "Omni-Test", "MATH500")
K: Final = 256
"""The larger k of tables 2 and 3."""

BASE: Final = Row("Qwen2.5-7B", (9.9, 67.2), (10.2, 69.1), (34.5, 96.2))

ALGORITHMS: Final = (
    Row("GRPO", (26.1, 66.3), (25.1, 68.3), (74.4, 97.2)),
    Row("PPO", (27.2, 65.8), (26.8, 69.2), (75.2, 97.2)),
    Row("ReMax", (24.4, 65.5), (23.8, 67.5), (73.5, 96.6)),
    Row("RLOO", (28.6, 66.4), (28.1, 69.2), (75.0, 97.4)),
    Row("Reinforce++", (28.2, 67.7), (28.0, 69.7), (75.4, 96.8)),
    Row("DAPO", (31.4, 66.1), (26.5, 67.0), (75.6, 96.4)),
)
"""Table 2. GRPO is its step 150."""

STEPS: Final = (
    (150, ALGORITHMS[0]),
    (300, Row("GRPO step 300", (33.6, 65.3), (27.1, 66.6), (75.4, 96.0))),
    (450, Row("GRPO step 450", (42.5, 64.3), (28.3, 63.9), (76.3, 95.4))),
)
"""Table 3."""


@dataclass(frozen=True, slots=True)
class Solved:
    """The problems that two models solve; `problems` is how many there were, None where the table does not say."""

    benchmark: str
    k: int | None
    problems: int | None
    base: frozenset[int]
    other: frozenset[int]
    source: str

    @property
    def both(self) -> list[int]:
        return sorted(self.base & self.other)

    @property
    def base_only(self) -> list[int]:
        return sorted(self.base - self.other)

    @property
    def other_only(self) -> list[int]:
        return sorted(self.other - self.base)

    @property
    def neither(self) -> list[int] | None:
        """Numbered from 0; None where it is not known how many problems there were."""
        return None if self.problems is None else sorted(set(range(self.problems)) - self.base - self.other)


AIME24: Final = Solved(
    "AIME24",
    1024,
    30,
    frozenset((0, 1, 4, 6, 7, 8, 9, 11, 12, 14, 15, 16, 17, 18, 19, 22, 23, 24, 25, 26, 27, 28, 29)),
    frozenset((0, 1, 6, 7, 8, 9, 12, 14, 15, 16, 18, 22, 23, 24, 25, 26, 27, 28, 29)),
    "table 4",
)
LIVECODEBENCH: Final = Solved(
    "LiveCodeBench 400-450",
    None,
    None,
    frozenset(
        (400, 402, 403, 407, 409, 412, 413, 417, 418, 419, 422, 423, 427, 432, 433, 436, 438, 439, 440, 444, 445, 448, 449)
    ),
    frozenset((400, 402, 403, 407, 412, 413, 417, 418, 419, 422, 423, 427, 430, 433, 438, 439, 440, 444, 445, 449)),
    "table 5",
)
SETS: Final = (AIME24, LIVECODEBENCH)


@dataclass(frozen=True, slots=True)
class FourWay:
    """Both, base only, RL only, neither, in percent of the problems."""

    benchmark: str
    problems: int
    percent: tuple[float, float, float, float]


FOUR_WAYS: Final = (FourWay("AIME24", 30, (63.3, 13.3, 0.0, 23.3)), FourWay("MATH500", 500, (92.4, 3.6, 1.0, 3.0)))


@dataclass(frozen=True, slots=True)
class Audited:
    """Hard problems (accuracy above 0 and below 5 %) of which all right traces were read."""

    benchmark: str
    model: str
    valid: int
    """Problems with at least one valid chain."""
    problems: int


AUDITED: Final = (
    Audited("GSM8K", "base", 24, 25),
    Audited("GSM8K", "RL", 23, 25),
    Audited("AIME24", "base", 5, 6),
    Audited("AIME24", "RL", 4, 6),
    Audited("visual", "base", 7, 8),
    Audited("visual", "RL", 7, 8),
)
"""AIME24: of its 18 problems that cannot be guessed; one ambiguous problem of base is left out."""

GAP_SAID: Final = (43.9, 42.6)
"""What the paper's text says of the gaps' range on Omni-Test, from the worst algorithm to the best."""
GAP_ABOVE: Final = 40.0
"""The text: the gap of every algorithm is always above 40 points."""

ENTROPY: Final = {"AIME24": 0.47, "AMC23": 0.51, "GSM8K": 0.75, "MATH500": 0.72, "Minerva": 0.63, "Olympiad": 0.50}
"""Of base's output at T 0.6, and below it the temperature at which the RL model's is the same."""
MATCHED_TEMPERATURE: Final = {"AIME24": 1.5, "AMC23": 0.9, "GSM8K": 1.0, "MATH500": 0.85, "Minerva": 0.85, "Olympiad": 1.0}
