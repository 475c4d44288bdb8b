"""basebound verify: judge what a verifier has not judged; --compare: where verdicts differ, what matters most first.

Stopped at any moment, it goes on where it was.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from explorer.commands.arguments import whole_number
from explorer.commands.narration import Meter, Narrator
from store.types import IMPORTED, Outcome

if TYPE_CHECKING:
    from engine.judging import Judging
    from store.writer import Writer

EXAMPLE = "verify {db} --compare"

_MOSTLY = 0.5


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("db", type=Path, metavar="DB")
    parser.add_argument("--verifier", metavar="V", help="this one only: of `basebound verifiers`, or your own PATH.py:FUNCTION")
    parser.add_argument("--compare", action="store_true", help="then list where verifiers, rules or the files' scores differ")
    parser.add_argument("--limit", type=whole_number, default=20, metavar="N", help="traces listed by --compare (20)")
    parser.add_argument("--json", action="store_true", help="all of --compare as JSON")


def run(arguments: argparse.Namespace) -> int:
    from store.files import connect_readonly
    from store.writer import Writer

    connect_readonly(arguments.db).close()  # a study that is not there is not made here
    narrator = Narrator(arguments.quiet)
    with Writer(arguments.db, "verify") as writer:
        if arguments.verifier is None:
            errors = judge_all(writer, narrator)
        elif arguments.compare and arguments.verifier == IMPORTED:
            errors = 0  # a file's own scores are there, or they are not
        else:
            errors = judge_by(writer, arguments.verifier, narrator)
    if arguments.compare:
        from explorer.commands.compare import show

        show(arguments.db, arguments.verifier, narrator, limit=arguments.limit, as_json=arguments.json)
    return 1 if errors else 0


def judge_by(writer: Writer, verifier: str, narrator: Narrator) -> int:
    """Judge by one verifier: of ours, or a person's own. Returns how many came out as ERROR."""
    from engine.judging import judge

    return _tell(judge(writer, verifier, Meter(narrator, "judging", "samples").show), narrator)


def judge_all(writer: Writer, narrator: Narrator) -> int:
    """Judge by the verifier of each kind of problem in the study. Returns how many came out as ERROR."""
    from engine.judging import judge
    from engine.verifiers import VERIFIERS, kind_of
    from store.reader import Study

    with Study(writer.path) as study:
        ours = [kind for kind in study.kinds() if kind in VERIFIERS and kind_of(kind) == kind]
        others = {kind: count for kind in study.kinds() if kind not in ours and (count := study.count_samples(kind))}
    errors = 0
    for kind in ours:
        meter = Meter(narrator, f"judging ({kind})", "samples")
        judging = judge(writer, kind, meter.show)
        errors += _tell(judging, narrator)
        if kind == "math" and judging.outcomes[Outcome.NO_ANSWER]:
            _tell_unboxed(writer.path, narrator)
    if others:
        left = ", ".join(f"{count:,} of the kind '{kind}'" for kind, count in others.items())
        narrator.say(f"samples left to their files' own scores, no verifier here is for them: {left}")
    return errors


def _tell_unboxed(path: Path, narrator: Narrator) -> None:
    """Runs that were never asked for a box look as if they had no answers: say how else they can be read."""
    from store.reader import Study

    with Study(path) as study:
        was_asked = any(name.startswith("math+") for name in study.verifiers())
        runs = [] if was_asked else [slug for slug, without, judged in study.unboxed() if without > _MOSTLY * judged]
    if runs:
        more = f" and {len(runs) - 3} more" if len(runs) > 3 else ""
        narrator.complain(
            f"most responses of {', '.join(runs[:3])}{more} hold no box, which `math` counts as no answer;"
            f" `basebound verify {path} --verifier math+line` (or math+number) reads answer lines (or last numbers) beside it"
        )


def _tell(judging: Judging, narrator: Narrator) -> int:
    done = judging.outcomes.total()
    if done:
        parts = ", ".join(f"{judging.outcomes[outcome]:,} {outcome.replace('_', ' ')}" for outcome in Outcome)
        narrator.say(f"judged {done:,} samples by {judging.verifier} {judging.version}: {parts}")
    else:
        narrator.clear()
    if judging.without_reference:
        narrator.say(f"{judging.without_reference:,} samples stay unjudged: their problems have no reference answer")
    return judging.outcomes[Outcome.ERROR]
