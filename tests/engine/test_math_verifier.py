r"""What counts as equal, and what becomes of a comparison that goes wrong.

The tables hold pairs (reference, answer) as people and models write them. Every verifier known to us has been wrong about some.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from engine.verifiers import VERIFIERS, load
from engine.verifiers.base import Question, Verifier, VerifierError
from engine.verifiers.equality import cheap_equal
from engine.verifiers.math import LONGEST_ANSWER, MathVerifier
from engine.verifiers.quantities import Quantity, exact_number, quantity
from engine.verifiers.surface import normalise
from engine.verifiers.worker import Comparison, MathVerifyPool
from store.types import Finish, Outcome, Verdict

EQUAL_BY_TEXT = [
    ("42", "$42$"),
    ("42", r"\(42\)"),
    ("42", " 42. "),
    ("42", r"\boxed{42}"),
    (r"\frac{1}{2}", r"\dfrac12"),
    (r"\frac{3}{4}", r"\tfrac{3}4"),
    ("(1,2)", r"\left( 1,\, 2 \right)"),
    ("1234567", "1,234,567"),
    ("10{,}000", "10000"),
    ("25000", r"25\,000"),
    ("25000", r"\$25,000"),
    ("-7", "−7"),
    (r"2\pi", "2π"),
    ("x^2", "x^{2}"),
    (r"\text{Tuesday}", "Tuesday"),
    ("Tuesday", r"\textbf{tuesday}"),
    (r"\text{B}", r"\text{(B)}"),
    (r"x \leq 3", r"x\le 3"),
    (r"90^{\circ}", "90°"),
    (r"\sqrt2", r"\sqrt{2}"),
]

EQUAL_BY_NUMBER = [
    ("1/2", "0.5"),
    (r"-\frac{1}{2}", r"\frac{-1}{2}"),
    ("0.50", ".5"),
    ("3", "3.0"),
    ("3", "+3"),
    ("7/2", r"3\frac{1}{2}"),
    ("7/2", "3 1/2"),
    ("4/3", r"1.\overline{3}"),
    ("1024", "2^{10}"),
    (r"\frac{1}{2^{10}}", "1/1024"),
    ("602000000000000000000000", r"6.02\times10^{23}"),
    ("602000000000000000000000", "6.02e23"),
    ("15", r"15\text{ cm}"),
    ("15", r"15\ \mathrm{cm}^2"),
    ("15", "15 apples"),
    (r"15\text{ apples}", r"15\,\text{apple}"),
    ("1200", r"$1,200$ meters"),
    (r"90^\circ", "90"),
    ("50", r"50\%"),
    (r"50\%", "0.5"),
    ("50%", r"50\text{ percent}"),
    ("3000000", r"3\text{ million}"),
]

EQUAL_TO_MATH_VERIFY = [
    ("x+1", "1+x"),
    (r"2\sqrt{2}", r"\sqrt{8}"),
    (r"\frac{\pi}{2}", r"\pi/2"),
    ("5", "x=5"),
    (r"\{1,2\}", r"\{2,1\}"),
    ("(3,-1)", "(3.0, -1)"),
    (r"(-\infty,2)", r"\left(-\infty, \frac{4}{2}\right)"),
    (r"\sqrt{2}", "1.414214"),
    (r"\frac{\pi}{10^{20}}", r"\pi\cdot10^{-20}"),
    ("12_8", "12"),
    (r"2,3", r"3\text{ and }2"),
]

UNEQUAL_CHEAPLY = [
    ("0.5", "50"),
    ("50", "0.5"),
    (r"0.5\%", r"50\%"),
    ("10000", "10001"),
    ("1000000", "1000100"),
    ("1/3", "0.3333333333"),
    ("3", "-3"),
    (r"\frac{1}{2^{99}}", r"\frac{1}{2^{98}}"),
    ("1 1/2", "11/2"),
    (r"3\text{ million}", "3"),
    ("(1,2)", "[1,2]"),
    ("(-2,7)", "[-2,7]"),
    ("(-2,7)", "[-2,7)"),
    ("(1,2)", r"\{1,2\}"),
    ("[1,2]", "{1,2}"),
    ("3:5", r"\frac{3}{5}"),
    ("5", r"5\mathrm{i}"),
    ("5", r"5\text{ or more}"),
    (r"11:30\text{ AM}", r"11:30\text{ PM}"),
    ("12_8", "12_9"),
    ("east", "seat"),
    (r"\text{odd}", r"\text{even}"),
    (r"\text{A}", "B"),
]

UNEQUAL_TO_MATH_VERIFY = [
    ("5", "5x"),
    ("5", "5i"),
    ("5", "5 or 6"),
    ("5", r"5\pi"),
    ("2x+3", "2y+3"),
    ("(1,2)", "(2,1)"),
    ("1331 and 1728", "1728"),
    (r"\frac{1}{2004!}", r"\frac{1}{2006!}"),
    (r"\frac{\pi}{10^{20}}", r"\frac{\pi}{10^{21}}"),
    ("6", r"\text{six}"),
    ("7", "None"),
]

COMMANDS = (
    r"\frac \dfrac \text{ \left \right \, \! \$ \{ \} \circ \degree \sqrt \( \) \boxed{ \overline \times 1,234 cm million °"
)
latex = st.lists(st.sampled_from([*"0123456789.,:/^_-+=()[]{}$%~ \n\\axi", *COMMANDS.split()]), max_size=25).map("".join)
integers = st.integers(-(10**30), 10**30)


@pytest.fixture(scope="module")
def verifier() -> Iterator[MathVerifier]:
    with MathVerifier() as math:
        yield math


def judge(verifier: MathVerifier, reference: str, answer: str) -> Verdict:
    [verdict] = verifier.judge([Question(f"Thus \\boxed{{{answer}}}.", reference)])
    return verdict


def alive(pid: int) -> bool:
    """Whether a process runs; one that is dead and not yet collected does not."""
    stat = Path(f"/proc/{pid}/stat")
    return stat.exists() and stat.read_text().rpartition(") ")[2][0] != "Z"


def workers_of(parent: int) -> list[int]:
    """Process ids of the Math-Verify workers that a process has started."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            owner = int(stat.read_text().rpartition(") ")[2].split()[1])
            ours = owner == parent and b"mathverify.py" in (stat.parent / "cmdline").read_bytes()
        except OSError:  # it ended while we looked
            continue
        if ours:
            found.append(int(stat.parent.name))
    return found


@pytest.fixture
def new_workers() -> Callable[[], list[int]]:
    """Tells which of our workers the test itself has started."""
    before = workers_of(os.getpid())
    return lambda: [worker for worker in workers_of(os.getpid()) if worker not in before]


def wait_for(condition: Callable[[], bool], within_s: float = 10.0) -> None:
    limit = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < limit, "waited in vain"
        time.sleep(0.02)


# Equality


@pytest.mark.parametrize(("reference", "answer"), EQUAL_BY_TEXT)
def test_two_ways_of_writing_are_one_text(reference: str, answer: str) -> None:
    assert cheap_equal(reference, answer) == (True, "text")


@pytest.mark.parametrize(("reference", "answer"), EQUAL_BY_NUMBER)
def test_equal_numbers_are_equal_however_written(reference: str, answer: str) -> None:
    assert cheap_equal(reference, answer) == (True, "number")


@pytest.mark.parametrize(("reference", "answer"), UNEQUAL_CHEAPLY)
def test_what_others_took_for_equal_is_refused(reference: str, answer: str) -> None:
    decided = cheap_equal(reference, answer)
    assert decided is not None
    assert not decided[0]


@pytest.mark.parametrize(("reference", "answer"), EQUAL_TO_MATH_VERIFY)
def test_algebra_decides_what_text_cannot(verifier: MathVerifier, reference: str, answer: str) -> None:
    verdict = judge(verifier, reference, answer)
    assert (verdict.outcome, verdict.route) == (Outcome.CORRECT, "boxed, math-verify")


@pytest.mark.parametrize(("reference", "answer"), UNEQUAL_TO_MATH_VERIFY)
def test_algebra_refuses(verifier: MathVerifier, reference: str, answer: str) -> None:
    assert judge(verifier, reference, answer).outcome is Outcome.INCORRECT


@pytest.mark.parametrize(("reference", "answer"), [("", ""), (" ", "5"), ("5", "$$"), (r"\text{}", r"\text{}")])
def test_nothing_is_equal_to_nothing(reference: str, answer: str) -> None:
    assert cheap_equal(reference, answer) is None


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("(1,234)", "(1234)"),
        ("1, 234", "1234"),
        ("0.333...", "0.333"),
        (r"\sqrt\text{23}", r"\sqrt{2}3"),
        ("x^{23}", "x^23"),
        ("2^{1}0", "2^{10}"),
        ("(1,2)", "[1,2]"),
        ("[1,2]", "{1,2}"),
        ("x", "X"),
        ("x", "-x"),
        ("50%", "50"),
    ],
)
def test_normalising_keeps_different_answers_apart(one: str, other: str) -> None:
    assert normalise(one) != normalise(other)


@given(latex | st.text(max_size=40))
@example("1, 234")
@example("5. .")
def test_normalising_twice_changes_nothing(text: str) -> None:
    assert normalise(normalise(text)) == normalise(text)


@given(latex, latex)
def test_any_two_texts_can_be_compared_and_each_equals_itself(one: str, other: str) -> None:
    assert cheap_equal(one, other) in {None, (True, "text"), (True, "number"), (False, "text"), (False, "number")}
    assert cheap_equal(one, one) in {None, (True, "text")}


@given(integers, integers.filter(bool))
def test_fractions_are_read_exactly(top: int, bottom: int) -> None:
    expected = Fraction(top, bottom)
    assert exact_number(f"{top}/{bottom}") == expected
    assert exact_number(f"\\frac{{{top}}}{{{bottom}}}") == expected
    assert exact_number(f"$\\dfrac{{{top}}}{{{bottom}}}$.") == expected


@given(st.decimals(allow_nan=False, allow_infinity=False, places=6, min_value=-(10**12), max_value=10**12))
def test_decimals_are_read_exactly(number: object) -> None:
    assert exact_number(f"{number}") == Fraction(f"{number}")


@given(integers, integers)
def test_integers_are_equal_only_if_they_are(one: int, other: int) -> None:
    assert cheap_equal(str(one), f"{other:,}") == (one == other, "text" if one == other else "number")


@pytest.mark.parametrize("text", ["10^{10^{10}}", "9^{99999}", "0^{-1}", "1/0", "9" * 4001, "1e9999", "2^{-99999}", "٣"])
def test_what_is_no_exact_number_or_too_long_for_one(text: str) -> None:
    assert exact_number(text) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (r"1,200\text{ cm}", Quantity(Fraction(1200), "cm")),
        ("5cm", Quantity(Fraction(5), "cm")),
        (r"\frac12\text{ miles}^2", Quantity(Fraction(1, 2), "miles^2")),
        (r"12.5\%", Quantity(Fraction(25, 2), "%")),
        (r"2\text{ dozen eggs}", Quantity(Fraction(24), "egg")),
        (r"5\mathrm{i}", None),
        (r"5\text{ or more}", None),
        ("5x", None),
    ],
)
def test_units(text: str, expected: Quantity | None) -> None:
    assert quantity(text) == expected


@pytest.mark.parametrize("unit", ["{", r"\text{", "1", "1 ", "1,", "5 aaaa ", r"\frac1", "$", "^", "(", "x^{", ". ", r"\, "])
def test_a_hostile_answer_takes_no_time(unit: str) -> None:
    text = unit * (LONGEST_ANSWER // len(unit))
    started = time.process_time()
    cheap_equal(text, text + "!")
    assert time.process_time() - started < 1.0


# The verifier


def test_the_last_box_counts_with_its_place(verifier: MathVerifier) -> None:
    response = r"So \boxed{4}. No: \boxed{0.5}. Put it in \boxed{}."
    [verdict] = verifier.judge([Question(response, "1/2")])
    place = response.index("0.5")
    assert verdict == Verdict(Outcome.CORRECT, "boxed, number", "0.5", (place, place + 3))


@pytest.mark.parametrize("reference", ["42", "None", "", "no_answer"])
@pytest.mark.parametrize("response", ["The answer is 42.", "", "None", r"\boxed{42", r"\boxed{}", r"\boxed{ }"])
def test_no_box_is_no_answer_whatever_the_reference(verifier: MathVerifier, response: str, reference: str) -> None:
    verdicts = verifier.judge([Question(response, reference), Question(response, reference, Finish.LENGTH)])
    assert verdicts == [Verdict(Outcome.NO_ANSWER, "no box"), Verdict(Outcome.NO_ANSWER, "no box", detail="truncated")]


@pytest.mark.parametrize(
    ("reference", "detail"),
    [(" ", "the reference is blank"), ("?", "Math-Verify cannot read the reference"), ("9" * 4001, "4,001")],
)
def test_a_useless_reference_is_an_error(verifier: MathVerifier, reference: str, detail: str) -> None:
    verdict = judge(verifier, reference, "5")
    assert verdict.outcome is Outcome.ERROR
    assert detail in (verdict.detail or "")


def test_an_answer_that_cannot_be_read_is_incorrect(verifier: MathVerifier) -> None:
    verdict = judge(verifier, "x+5", "???")
    assert (verdict.outcome, verdict.detail) == (Outcome.INCORRECT, "Math-Verify cannot read the answer")


def test_an_endless_answer_is_incorrect_unseen(new_workers: Callable[[], list[int]]) -> None:
    with MathVerifier() as math:
        assert judge(math, "5", "1+" * LONGEST_ANSWER + "5").outcome is Outcome.INCORRECT
        assert not new_workers()


def test_verdicts_keep_the_order_of_the_questions(verifier: MathVerifier) -> None:
    answers = ["1+x", "5", "x+1", "y+1", "none", "1+x"]
    verdicts = verifier.judge([Question(f"\\boxed{{{answer}}}", "x+1") for answer in answers])
    assert [verdict.answer for verdict in verdicts] == answers
    assert [verdict.outcome is Outcome.CORRECT for verdict in verdicts] == [True, False, True, False, False, True]


class CountingPool(MathVerifyPool):
    """Counts what it is asked, and calls everything equal."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[tuple[str, str]] = []

    def judge(self, pairs: Sequence[tuple[str, str]]) -> list[Comparison]:
        self.asked += pairs
        return [Comparison(True) for _ in pairs]


def test_each_distinct_pair_is_compared_once_and_cheap_ones_never() -> None:
    pool = CountingPool()
    with MathVerifier(pool) as math:
        for _ in range(2):
            math.judge([Question(r"\boxed{a+b}", "b+a"), Question(r"so: \boxed{a+b}", "b+a"), Question(r"\boxed{5}", "5")])
    assert pool.asked == [("b+a", "a+b")]


def test_the_table_loads_by_name_and_names_what_it_knows() -> None:
    with load("math") as math:
        verifier: Verifier = math
        assert (verifier.name, verifier.version.split("-")[0]) == ("math", "1+math")
    assert set(VERIFIERS) == {"math"}
    with pytest.raises(VerifierError, match="'maths'; known: math"):
        load("maths")


def test_algebra_stays_out_of_our_process() -> None:
    program = "import sys, engine.verifiers.math; sys.exit(bool({'sympy', 'math_verify', 'numpy'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", program], check=False, cwd=Path(__file__).parents[2]).returncode == 0


# The pool

FOREVER = ("5", "10^{10^{10}}+x")


def test_a_pair_past_its_deadline_is_undecided_and_its_neighbours_are_judged(new_workers: Callable[[], list[int]]) -> None:
    with MathVerifyPool(workers=2, deadline_s=1.5) as pool:
        results = pool.judge([("x+1", "1+x"), FOREVER, ("x+1", "x+2"), ("2x", "x+x")])
        assert new_workers()
    assert [result.equal for result in results] == [True, None, False, True]
    assert results[1].detail == "timed out after 1.5 s"
    assert not new_workers()


def test_a_worker_killed_at_work_is_replaced(new_workers: Callable[[], list[int]]) -> None:
    with MathVerifyPool(workers=1, deadline_s=30) as pool:
        pool.judge([("x+1", "1+x")])
        [victim] = new_workers()
        killer = threading.Timer(0.2, os.kill, (victim, signal.SIGKILL))
        killer.start()
        results = pool.judge([FOREVER, ("x+1", "1+x")])
        killer.join()
    assert results == [Comparison(None, "worker crashed (signal 9)"), Comparison(True)]


def test_a_worker_killed_while_idle_costs_no_pair(new_workers: Callable[[], list[int]]) -> None:
    with MathVerifyPool(workers=1) as pool:
        pool.judge([("x+1", "1+x")])
        [victim] = new_workers()
        os.kill(victim, signal.SIGKILL)
        wait_for(lambda: not alive(victim))
        assert pool.judge([("x+1", "1+x")]) == [Comparison(True)]


def test_memory_is_limited_and_running_out_is_no_refusal() -> None:
    with MathVerifyPool(workers=1, deadline_s=30, memory_mb=128) as pool:
        greedy, modest = pool.judge([("5", "2^{2^{40}}+x"), ("x+1", "1+x")])
    assert (greedy.equal, greedy.detail) == (None, "ran out of memory")
    assert modest == Comparison(True)


def test_two_pairs_are_at_work_at_once() -> None:
    with MathVerifyPool(workers=2, deadline_s=2.0) as pool:
        pool.judge([("x+1", "1+x"), ("x+1", "1+x")])
        started = time.monotonic()
        assert [result.equal for result in pool.judge([FOREVER, FOREVER])] == [None, None]
        assert time.monotonic() - started < 3.5


def test_nothing_starts_before_the_first_pair(new_workers: Callable[[], list[int]]) -> None:
    with MathVerifyPool() as pool:
        assert pool.judge([]) == []
        assert not new_workers()


def test_a_worker_that_cannot_start_is_told_in_one_sentence() -> None:
    with MathVerifyPool(memory_mb=40) as pool, pytest.raises(VerifierError, match="Math-Verify does not start"):
        pool.judge([("x+1", "1+x")])


def test_a_worker_can_be_used_from_a_thread() -> None:
    results: list[Comparison] = []
    with MathVerifyPool(workers=1) as pool:
        thread = threading.Thread(target=lambda: results.extend(pool.judge([("x+1", "1+x")])))
        thread.start()
        thread.join()
    assert results == [Comparison(True)]


@pytest.mark.parametrize("pair", [("x+1", "1+x"), FOREVER])
def test_workers_end_with_a_parent_that_is_killed(pair: tuple[str, str]) -> None:
    program = (
        "import sys; from engine.verifiers.worker import MathVerifyPool\n"
        "pool = MathVerifyPool(workers=1, deadline_s=0.5)\n"
        "pool.judge([('x+1', '1+x')]); print('ready', flush=True)\n"
        f"pool.judge([{pair!r}]); sys.stdin.read()"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=Path(__file__).parents[2]
    )
    with parent:
        assert parent.stdout is not None
        parent.stdout.readline()
        [worker] = workers_of(parent.pid)
        time.sleep(0.2)
        parent.kill()
    wait_for(lambda: not alive(worker))
