"""Does the suspicion score find wrong chains, and which reason earns its weight?

    python benchmarks/luck.py [DATA_DIR [HALF]]

Chains that people labelled (../shared/data/labels_*): "the chain holds an error" against the score. Problems are halved by a
hash of their text. Weights and phrases were made on the half "developed"; "held out" is printed by default (HALF may also be
"developed" or "all"). For each set, for all of them, and for chains with a RIGHT final answer alone, which is the real task:
the chains, the share that holds an error (the precision that chance gives), the area under the ROC curve with a 95 % interval
(DeLong et al. 1988), that of the length in characters alone, and precision and recall of "any reason kept". Then the same by
reason.

What the labels mean: mrben, reasoneval and bigbench_mistake mark steps that are wrong, verify_cot also steps that cite the
wrong premises, of which the text's equalities show nothing; all chains of mr_gsm8k_part are wrong, so it has a recall only.
Last, answers of two models to hard problems, without labels: a WRONG answer stands for an error in the chain, so a reason that
means something is more precise there, too, than the share of wrong answers. "Common wrong" needs several labelled chains of one
problem and stays unmeasured: in these sets their answers are letters.
"""

from __future__ import annotations

import gzip
import json
import re
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from engine.luck import Kind, Reason, suspicion, suspicions
from engine.luck.answered import answered
from engine.verifiers.equality import cheap_equal

HALVES = ("developed", "held out", "all")
Record = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Chain:
    """One labelled chain."""

    of: str
    problem: str
    text: str
    answer: str | None
    flawed: bool
    """People say that it holds an error."""
    right: bool | None
    """Its final answer is right; None where nobody says."""


@dataclass(frozen=True, slots=True)
class Scored:
    chain: Chain
    reasons: list[Reason]
    score: float


def records(path: Path) -> Iterator[Record]:
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


def mr_gsm8k(name: str, row: Record) -> Chain | None:
    flawed, right = (row[f"model_output_{what}_correctness"] for what in ("solution", "answer"))
    return Chain(name, row["question"], "\n".join(row["model_output_steps"]), None, flawed == "wrong", right == "correct")


def mrben(name: str, row: Record) -> Chain | None:
    text = "\n".join(row["Model_Solution_Steps"])
    letters = re.findall(r"[Cc]hoice(?:\\?_| )\(?([A-Z])\b", text.rpartition("\n")[2])
    wanted = row["Ground_Truth_Answer_Modified"] or row["Ground_Truth_Answer"]
    statement = f"{row['Question']}\n{row['Options']}"
    flawed = row["Model_Solution_Correctness"] == "incorrect"
    # An answer without a letter is that no choice is right.
    answer = f"Choice_{letters[-1]}" if letters else None
    return Chain(name, statement, text, answer, flawed, bool(letters) and letters[-1] in wanted)


def reasoneval(name: str, row: Record) -> Chain | None:
    text = "\n".join(" ".join(step) for step in row["model_output_step_format"])
    if "rating" in row:  # steps rated from -1 to 1; none of this file is below 0
        return Chain(name, row["question"], text, None, min(row["rating"]) < 0, None)
    flawed, right = (row[f"model_output_{what}_correctness"] for what in ("solution", "answer"))
    return Chain(name, row["question"], text, None, flawed == "wrong", right == "correct")


def verify_cot(name: str, row: Record) -> Chain | None:
    right, said = row["correct"], str(row["final_answer"])
    # An option's letter stands nowhere in some texts, and a wrong final answer may be how it was read.
    return Chain(name, row["question"], row["answer"], None if "choices" in row else said, row["flag"] == 0, right)


def bigbench(name: str, row: Record) -> Chain | None:
    answer = None if row["answer"] is None else str(row["answer"]).strip()
    text = "\n".join(row["steps"])
    return Chain(name, row["input"], text, answer, row["mistake_index"] is not None, answer == str(row["target"]).strip())


SETS: dict[str, tuple[Callable[[str, Record], Chain | None], tuple[str, ...]]] = {
    "mr_gsm8k_part": (mr_gsm8k, ("mr_gsm8k",)),
    "mrben": (mrben, ("math", "physics", "chemistry")),
    "reasoneval_mrmath": (reasoneval, ("mr-math_invalid", "mr-math_redundant_prm800k")),
    "verify_cot": (verify_cot, ("gsm8k", "MATH", "addsub", "aqua_rat", "date", "last_letters")),
    "bigbench_mistake": (
        bigbench,
        ("multistep_arithmetic", "logical_deduction", "tracking_shuffled_objects", "word_sorting", "dyck_languages"),
    ),
}


def chains(data: Path, half: str) -> Iterator[Chain]:
    for of, (read, names) in SETS.items():
        for name in names:
            for row in records(data / f"labels_{of}" / f"{name}_dev.jsonl.gz"):
                chain = read(f"{of}: {name}" if len(names) > 1 else of, row)
                if chain is not None and half in ("all", half_of(chain.problem)):
                    yield chain


def half_of(problem: str) -> str:
    return HALVES[blake2b(problem.encode(), digest_size=1).digest()[0] & 1]


def scored(found: Sequence[Chain]) -> list[Scored]:
    rows = []
    for chain in found:
        reasons = suspicions(chain.text, chain.answer, statement=chain.problem)
        rows.append(Scored(chain, reasons, suspicion(reasons)))
    return rows


def auc(scores: Sequence[float], flawed: Sequence[bool]) -> tuple[float, float, float] | None:
    """The area under the ROC curve with its 95 % interval (DeLong et al. 1988); None where one of the two kinds is missing."""
    values, labels = np.array(scores, dtype=np.float64), np.array(flawed, dtype=bool)
    bad, good = values[labels], values[~labels]
    if min(len(bad), len(good)) < 2:
        return None
    of_bad, of_good = _placement(bad, good), 1 - _placement(good, bad)
    area = float(of_bad.mean())
    spread = 1.96 * float(np.sqrt(of_bad.var(ddof=1) / len(bad) + of_good.var(ddof=1) / len(good)))
    return area, max(0.0, area - spread), min(1.0, area + spread)


def _placement(ours: NDArray[np.float64], theirs: NDArray[np.float64]) -> NDArray[np.float64]:
    """For each of ours the share of theirs that lie below it, ties half."""
    order = np.sort(theirs)
    return (np.searchsorted(order, ours, "left") + np.searchsorted(order, ours, "right")) / (2 * len(order))


def table(title: str, groups: dict[str, list[Scored]]) -> None:
    print(f"\n{title}")
    print(f"{'':44}{'chains':>7}{'flawed':>8}{'AUC':>7}{'95 %':>14}{'length':>8}{'found':>7}{'prec.':>7}{'recall':>7}")
    for name, rows in groups.items():
        flawed = [row.chain.flawed for row in rows]
        area = auc([row.score for row in rows], flawed)
        length = auc([len(row.chain.text) for row in rows], flawed)
        shown = "      -             -" if area is None else f"{area[0]:>7.3f}{f'{area[1]:.3f} {area[2]:.3f}':>14}"
        shown += "       -" if length is None else f"{length[0]:>8.3f}"
        found = [any(not reason.retracted for reason in row.reasons) for row in rows]
        print(f"{name[:43]:44}{len(rows):>7}{share(sum(flawed), len(rows)):>8}{shown}{measures(found, flawed)}")


def measures(found: Sequence[bool], flawed: Sequence[bool]) -> str:
    """How many are found, the precision and the recall."""
    hits = sum(one and other for one, other in zip(found, flawed, strict=True))
    return f"{sum(found):>7}{share(hits, sum(found)):>7}{share(hits, sum(flawed)):>7}"


def share(part: int, whole: int) -> str:
    return f"{part / whole:.3f}" if whole else "-"


def by_reason(title: str, rows: Sequence[Scored]) -> None:
    flawed = [row.chain.flawed for row in rows]
    print(f"\n{title}: {len(rows)} chains, {share(sum(flawed), len(rows))} flawed")
    print(f"{'':44}{'found':>7}{'prec.':>7}{'recall':>7}")
    for kind in Kind:
        for word, retracted in (("", False), (", retracted", True)):
            found = [any(r.kind is kind and r.retracted is retracted for r in row.reasons) for row in rows]
            if any(found) or not retracted:
                print(f"{kind + word:44}{measures(found, flawed)}")


def grouped(rows: Iterable[Scored]) -> dict[str, list[Scored]]:
    groups: dict[str, list[Scored]] = defaultdict(list)
    for row in rows:
        groups[row.chain.of].append(row)
    return groups


UNLABELLED = ("gemma-2-2b-it", "gpt-4o-mini-2024-07-18")


def unlabelled(data: Path) -> Iterator[Chain]:
    """Answers to hard problems with a known reference. Where one is wrong, so is its chain; else nobody says."""
    for name in UNLABELLED:
        with gzip.open(data / "zeroeval_math_l5" / f"{name}.json.gz", "rt", encoding="utf-8") as file:
            for row in json.load(file):
                text = row["output"][0]
                _, found = answered(text)
                equal = cheap_equal(str(row["answer"]), found.answer.content) if found is not None else None
                if equal is not None:
                    yield Chain(name, row["problem"], text, None, not equal[0], equal[0])


MATHS: tuple[str, ...] = (
    "mr_gsm8k",
    "mrben: math",
    "mrben: physics",
    "mrben: chemistry",
    "reasoneval",
    "verify_cot: gsm8k",
    "verify_cot: MATH",
)
MATHS += ("verify_cot: addsub", "verify_cot: aqua", "bigbench_mistake: multistep")


def main(data: Path, half: str) -> None:
    began = time.perf_counter()
    rows = scored(list(chains(data, half)))
    seconds = time.perf_counter() - began
    right = [row for row in rows if row.chain.right]
    maths = [row for row in rows if row.chain.of.startswith(MATHS)]
    lucky = [row for row in maths if row.chain.right]
    print(f"half: {half}; {len(rows)} chains, {sum(len(row.chain.text) for row in rows):,} characters, {seconds:.1f} s")
    table("ALL CHAINS", {**grouped(rows), "pooled": rows, "pooled, with numbers": maths})
    table("RIGHT ANSWERS ONLY", {**grouped(right), "pooled": right, "pooled, with numbers": lucky})
    by_reason("BY REASON, all chains with numbers", maths)
    by_reason("BY REASON, right answers with numbers", lucky)
    by_reason("WRONG ANSWERS INSTEAD OF LABELS, by reason", scored(list(unlabelled(data))))


if __name__ == "__main__":
    default = ROOT.parent / "shared" / "data"
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else default, sys.argv[2] if len(sys.argv) > 2 else "held out")
