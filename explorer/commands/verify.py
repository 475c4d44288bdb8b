"""basebound verify: judge what a verifier has not judged. Stopped at any moment, it goes on where it was."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from explorer.commands.narration import Meter, Narrator

if TYPE_CHECKING:
    from engine.judging import Judging
    from store.writer import Writer

EXAMPLE = "verify {db}"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("db", type=Path, metavar="DB")
    parser.add_argument("--verifier", metavar="V", help="this one only; see `basebound verifiers`")


def run(arguments: argparse.Namespace) -> int:
    from engine.judging import judge
    from store.files import connect_readonly
    from store.writer import Writer

    connect_readonly(arguments.db).close()  # a study that is not there is not made here
    narrator = Narrator(arguments.quiet)
    with Writer(arguments.db, "verify") as writer:
        if arguments.verifier is None:
            return 1 if judge_all(writer, narrator) else 0
        meter = Meter(narrator, "judging", "samples")
        return 1 if _tell(judge(writer, arguments.verifier, meter.show), narrator) else 0


def judge_all(writer: Writer, narrator: Narrator) -> int:
    """Judge by the verifier of each kind of problem in the study. Returns how many came out as ERROR."""
    from engine.judging import judge
    from engine.verifiers import VERIFIERS
    from store.reader import Study

    with Study(writer.path) as study:
        kinds = study.kinds()
    errors = 0
    for kind in kinds:
        if kind in VERIFIERS:
            meter = Meter(narrator, f"judging ({kind})", "samples")
            errors += _tell(judge(writer, kind, meter.show), narrator)
    return errors


def _tell(judging: Judging, narrator: Narrator) -> int:
    from store.types import Outcome

    done = judging.outcomes.total()
    if done:
        parts = ", ".join(f"{judging.outcomes[outcome]:,} {outcome.replace('_', ' ')}" for outcome in Outcome)
        narrator.say(f"judged {done:,} samples by {judging.verifier} {judging.version}: {parts}")
    else:
        narrator.clear()
    if judging.without_reference:
        narrator.say(f"{judging.without_reference:,} samples stay unjudged: their problems have no reference answer")
    return judging.outcomes[Outcome.ERROR]
