"""The command `basebound`: one subcommand per file in explorer/commands, imported when chosen.

stdout is data, stderr is narration. Exit status: 0 done; 1 done, with problems found (bad rows, inconsistencies); 2 could not,
with one sentence that says what, where and what to do; 130 interrupted, with a usable study.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from importlib import import_module
from io import TextIOWrapper
from pathlib import Path
from typing import Final, Protocol, cast

from store.errors import BaseboundError

COMMANDS: Final = {
    "demo": ("explorer.commands.demo", "sample, judge, score and cluster with the bundled models, then explore"),
    "import": ("explorer.commands.import_files", "bring other tools' outputs into a study, and judge them"),
    "init": ("explorer.commands.init", "write a commented STUDY.toml to begin with"),
    "run": ("explorer.commands.run", "bring a study up to what a STUDY.toml declares: sample, judge, measure"),
    "sample": ("explorer.commands.sample", "draw responses from a model, as many as a run lacks"),
    "merge": ("explorer.commands.merge", "put studies together that were drawn apart, by `run --shard`"),
    "verify": ("explorer.commands.verify", "judge the samples that a verifier has not judged"),
    "score": ("explorer.commands.score", "measure what a model thinks of responses"),
    "likelihood": ("explorer.commands.likelihood", "was it in the base model: perplexity, nucleus, recovery, token by token"),
    "paths": ("explorer.commands.paths", "cluster the correct responses of each problem"),
    "passk": ("explorer.commands.passk", "pass@k per run, and pairs of runs"),
    "coverage": ("explorer.commands.coverage", "which problems both, one or none of two runs solve"),
    "claims": ("explorer.commands.claims", "what the runs say of each claim of the field, or the paper's own tables"),
    "entropy": ("explorer.commands.entropy", "entropy per run, and the temperature that matches another run's"),
    "series": ("explorer.commands.series", "many runs side by side: algorithms, steps, temperatures, roles, training seeds"),
    "accuracy": ("explorer.commands.accuracy", "how accuracies are spread: histogram, Cover@tau, G-Pass@k, maj@k"),
    "beyond": ("explorer.commands.beyond", "what more samples than were drawn would solve: fitted, not seen"),
    "guess": ("explorer.commands.guess", "what guessing alone would score, and pass@k with that taken off"),
    "suspect": ("explorer.commands.suspect", "right answers that may be luck, from the text alone, reason by reason"),
    "audit": ("explorer.commands.audit", "labels: what to read next, what they amount to, in and out"),
    "plan": ("explorer.commands.plan", "where further samples would settle most, and what that would cost"),
    "index": ("explorer.commands.index", "make search and suspicions of luck instant, kept within the study"),
    "list": ("explorer.commands.list_rows", "problems or traces that a filter expression fits, with links"),
    "slice": ("explorer.commands.slice_study", "a small study of the traces that a filter expression fits, to send"),
    "report": ("explorer.commands.report", "everything as one html page, Markdown, JSON and CSV"),
    "export": ("explorer.commands.export", "every sample as a table: Parquet, or JSONL to import again"),
    "explore": ("explorer.commands.explore", "open the explorer"),
    "keys": ("explorer.commands.keys", "every key of the explorer, and the name under which to give it another"),
    "health": ("explorer.commands.health", "what ails the samples of each run: cut, no answer, errors, drawn twice"),
    "check": ("explorer.commands.check", "is the study sound: structure, tallies, verdicts"),
    "migrate": ("explorer.commands.migrate", "bring a study of an older version up to date, after a backup"),
    "formats": ("explorer.commands.formats", "file formats that can be imported, with an example of each"),
    "samplers": ("explorer.commands.samplers", "samplers that can draw responses"),
    "verifiers": ("explorer.commands.verifiers", "verifiers that can judge, with their versions"),
}


class Command(Protocol):
    """A module in explorer/commands. Its imports stay light: `basebound --help` must not wait."""

    EXAMPLE: str
    """A line that works, without the program's name; {db} stands for a study. The tests run it."""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None: ...

    def run(self, arguments: argparse.Namespace) -> int:
        """The exit status. Raises BaseboundError for what could not be done."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line. This is the one place where errors become sentences."""
    signal.signal(signal.SIGTERM, _terminate)
    if signal.getsignal(signal.SIGHUP) is signal.SIG_DFL:  # not where `nohup` has it ignored
        signal.signal(signal.SIGHUP, _terminate)
    for name in ("stdout", "stderr"):  # closed by the shell (`>&-`): what is said goes nowhere, and what is done is done
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115 - as long as the program runs
    for stream in (sys.stdout, sys.stderr):  # a terminal that is no UTF-8 gets escapes, not a traceback
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        status = _run(sys.argv[1:] if arguments is None else list(arguments))
        sys.stdout.flush()
    except BaseboundError as error:
        _say(str(error))
        return 2
    except KeyboardInterrupt:
        _say("interrupted; what was stored is safe, run the same command again to go on")
        return 130
    except BrokenPipeError:
        # The reader of our output has gone (`| head`): not an error, but Python must not complain on the way out.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        _say(f"{error.filename or 'the output'} cannot be read or written: {error.strerror or error}")
        return 2
    return status


def _run(arguments: list[str]) -> int:
    chosen = next((word for word in arguments if word in COMMANDS), None)
    parser = _parser(chosen)
    parsed = parser.parse_args(arguments)
    if parsed.command is None:
        parser.print_help(sys.stderr)
        return 2
    return _command(parsed.command).run(parsed)


def _parser(chosen: str | None) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="basebound",
        description="What did reinforcement learning really do to the model? Import or sample traces, count, explore.",
        epilog="`basebound COMMAND --help` shows a command's options and an example.",
    )
    parser.add_argument("--version", action=_Version)
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", title="commands")
    for name, (_, title) in COMMANDS.items():
        sub = commands.add_parser(name, help=title, description=title[0].upper() + title[1:] + ".")
        if name == chosen:
            command = _command(name)
            sub.formatter_class = argparse.RawDescriptionHelpFormatter
            sub.epilog = "example:\n  basebound " + command.EXAMPLE.format(db="study.db")
            sub.add_argument("-q", "--quiet", action="store_true", help="no narration on stderr")
            command.add_arguments(sub)
    return parser


class _Version(argparse.Action):
    """--version reads the installed package's metadata only when asked."""

    def __init__(self, option_strings: Sequence[str], dest: str) -> None:
        super().__init__(option_strings, dest, nargs=0, help="show the version and exit")

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from importlib.metadata import version

        parser.exit(message=f"basebound {version('basebound')}\n")


def _command(name: str) -> Command:
    return cast(Command, import_module(COMMANDS[name][0]))


def _terminate(*_: object) -> None:
    """SIGTERM ends like Ctrl-C: the running transaction is rolled back, the lease released."""
    raise KeyboardInterrupt


def _say(sentence: str) -> None:
    from explorer.render.text import visible

    sys.stderr.write(f"basebound: {visible(sentence)}\n")
