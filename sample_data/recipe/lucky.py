r"""The study of one trace: a right answer that stands on two slips which cancel.

    python -m sample_data.recipe.lucky        writes sample_data/lucky.db.zst

The chain of thought is told in our own words after the case in "Does Reinforcement Learning Really Incentivize Reasoning
Capacity in LLMs Beyond the Base Model?" (its showcase of a base model's right answer), with that case's numbers. Two attempts
are given up honestly first; then 195 + 367 + 562 + 900 becomes 1924 (it is 2024), 437 + 2 * 234 becomes 805 (it is 905), and
the right answer, 73, comes out.
"""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from engine.indexing import index_suspicions
from explorer.commands.narration import Narrator
from explorer.commands.verify import judge_all
from sample_data import LUCKY
from store.index_writer import IndexWriter
from store.texts import pack_file
from store.types import Finish, Model, NewSample, NewTrace, Problem, Role, Run, Settings
from store.writer import SourceFile, Writer

STATEMENT: Final = (
    "All 900 households of a valley have an apple tree. Of these, 195 keep bees, 367 keep hens and 562 have a potato field. "
    "Exactly 437 households have exactly two of the four things, and exactly 234 have exactly three of them. "
    "How many households have all four?"
)

RESPONSE: Final = Path(__file__).with_suffix(".txt")


def make(path: Path) -> None:
    """The study, judged and searched for luck, at `path`."""
    run = Run(Model("retold-base", role=Role.BASE), "valley", Settings(temperature=0.6, top_p=0.95, max_tokens=16384))
    response = RESPONSE.read_text(encoding="utf-8").rstrip("\n")
    problem = Problem("valley", "1", STATEMENT, "73")
    with Writer(path, "lucky") as writer:
        source = writer.open_source(SourceFile("sample_data/recipe/lucky.py", "native", "0" * 64, len(response)))
        writer.add_traces(source, [NewTrace(run, problem, NewSample(response, 1, finish=Finish.STOP))])
        writer.finish_source(source)
        judge_all(writer, Narrator(True))
    with IndexWriter(path, "lucky") as indexing:
        index_suspicions(indexing)


def main() -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "lucky.db"
        make(path)
        LUCKY.write_bytes(pack_file(path.read_bytes()))


if __name__ == "__main__":
    main()
