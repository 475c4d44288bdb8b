"""Beside the terminal viewers for rollouts that people have: how long until something can be read, and how many keys it takes.

    python benchmarks/peers.py [--verl SCRIPT] [ROLLOUTS ...]        (200 20000 when not given)

Every program shows the same texts (benchmarks/make_study.py) in a pseudo-terminal of 120x40, one after the other, on the same
machine: `vf-tui` of verifiers 0.1.14, `rollout_viewer.py` of verl (its rollouts in 20 files, as it wants them), and this
explorer. The peers are installed into environments of their own in the temp folder. verl's viewer is a script in a
repository: it comes from --verl, else from git, and where neither leads to it, it is left out with a sentence.

- start: until the first useful screen (the name of the run; in verl, whose first screen is the first rollout, its problem)
- open: the keys from there to the first rollout, until its text or its problem stands there
- next rollout, page down: each of 40 keys, median and 95th percentile. Pages are turned in rollouts that are long enough
- memory: resident, at the first rollout
- keys: from the start until a response can be read, and for each further response
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import time
import venv
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Final

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.make_study import FOLDER, Made, make_study, samples_of
from benchmarks.terminal import STILL_MS, Terminal, Took, told

STARTS: Final = 5
KEYS: Final = 40
VERL_FILES: Final = 20
VERL_REPOSITORY: Final = "https://github.com/volcengine/verl"
VERIFIERS: Final = ("verifiers==0.1.14",)
VERL_NEEDS: Final = ("textual==0.52.1", "typer", "aiofiles", "ujson", "packaging")
_PAGE_DOWN: Final = "\x1b[6~"
_ENTER: Final = "\r"


@dataclass(frozen=True, slots=True)
class Viewer:
    """One program over some rollouts, and which keys lead through it."""

    name: str
    command: Sequence[str]
    folder: Path
    ready: bytes
    """Stands on the first useful screen."""
    opening: Sequence[tuple[str, bytes]]
    """Keys from there to the first rollout, each with what stands there then."""
    unfolding: Sequence[str]
    """Keys that it takes then to see a response, and again after each `following`."""
    following: str
    page_down: str

    @property
    def keys_to_read(self) -> str:
        further = 1 + len(self.unfolding)
        return f"{len(self.opening) + len(self.unfolding)} (each further one {further})"

    def started(self) -> Terminal:
        return Terminal(self.command, self.folder)


def measure(viewer: Viewer) -> None:
    seconds = []
    for _ in range(STARTS):
        terminal = viewer.started()
        seconds.append(terminal.wait_for(viewer.ready))
        terminal.close()
    print(f"  {viewer.name}")
    print(f"    start         {median(seconds):6.2f} s (from {min(seconds):.2f} to {max(seconds):.2f})")
    terminal = viewer.started()
    terminal.wait_for(viewer.ready)
    time.sleep(2)
    terminal.settle()
    opening = [terminal.press_until(key, shown) for key, shown in viewer.opening]
    said = f"{sum(opening) / 1000:6.2f} s, {len(opening)} keys" if opening else "     –    (it starts there)"
    print(f"    open          {said}")
    time.sleep(1)
    terminal.settle()
    print(f"    memory        {terminal.resident_mib():6.0f} MiB")
    following, pages = _read_on(viewer, terminal)
    print(f"    next rollout  {told(following)}")
    print(f"    page down     {told(pages)}")
    print(f"    keys to read  {viewer.keys_to_read}")
    terminal.close()


def _read_on(viewer: Viewer, terminal: Terminal) -> tuple[list[Took], list[Took]]:
    """Rollout after rollout, turning two pages of each that has them."""
    following: list[Took] = []
    pages: list[Took] = []
    while len(following) < KEYS or (len(pages) < KEYS and len(following) < 4 * KEYS):
        following.append(terminal.press(viewer.following))
        for key in viewer.unfolding:
            terminal.press(key)
        for _ in range(2):
            took = terminal.press(viewer.page_down)
            if took[0] >= STILL_MS:
                break
            pages.append(took)
    if len(pages) < 2:
        sys.exit(f"{viewer.name}: the pages of no rollout turned")
    return following[:KEYS], pages[:KEYS]


# -- the programs -----------------------------------------------------------------------------------------------------------


def ours(rollouts: int, folder: Path) -> Viewer:
    db = folder / "ours.db"
    if not db.exists():
        make_study(rollouts, db)
    command = [sys.executable, "-m", "basebound", "explore", str(db)]
    steps = [(_ENTER, b"reference "), (_ENTER, b"boxed"), (_ENTER, b"tep 1 of")]
    return Viewer("basebound", command, ROOT, b"base-7b", steps, (), "]", _PAGE_DOWN)


def vf_tui(rollouts: int, folder: Path) -> Viewer:
    python = _environment("verifiers", VERIFIERS)
    run = folder / "outputs" / "evals" / "made--lab--base-7b" / "run"
    if not run.exists():
        run.mkdir(parents=True)
        about = {
            "env_id": "made",
            "model": "lab/base-7b",
            "num_examples": rollouts,
            "rollouts_per_example": 1,
            "avg_reward": 0.1,
        }
        (run / "metadata.json").write_text(json.dumps(about | {"date": "2026-01-01", "time_ms": 1000.0, "sampling_args": {}}))
        _write(run / "results.jsonl", samples_of(rollouts), _for_verifiers)
    command = [str(python.with_name("vf-tui"))]
    return Viewer("vf-tui", command, folder, b"lab/base-7b", [(_ENTER, b"Completion History")], ("e",), "n", _PAGE_DOWN)


def verl(rollouts: int, folder: Path, script: Path) -> Viewer:
    python = _environment("verl", VERL_NEEDS)
    files = folder / "verl"
    if not files.exists():
        files.mkdir(parents=True)
        made = samples_of(rollouts)
        for number in range(VERL_FILES):
            part = (next(made) for _ in range(rollouts // VERL_FILES))
            _write(files / f"{number + 1}.jsonl", part, _for_verl)
    return Viewer("verl rollout_viewer", [str(python), str(script), str(files)], folder, b"marbles", [], (), "n", "j")


def _for_verifiers(made: Made) -> dict[str, object]:
    prompt, answer = [{"role": "user", "content": made.statement}], [{"role": "assistant", "content": made.response}]
    return {
        "example_id": made.problem, "task": "made", "prompt": prompt, "completion": answer, "answer": "42",
        "reward": float(made.is_right), "info": {},
    }  # fmt: skip


def _for_verl(made: Made) -> dict[str, object]:
    return {"input": made.statement, "output": made.response, "gts": "42", "score": float(made.is_right), "step": 1}


def _write(path: Path, samples: Iterator[Made], record: Callable[[Made], dict[str, object]]) -> None:
    with path.open("w", encoding="utf-8") as out:
        out.writelines(json.dumps(record(made)) + "\n" for made in samples)


def _environment(name: str, packages: Sequence[str]) -> Path:
    """The Python of an environment with these packages, made where it is not there yet."""
    place = FOLDER / "peers" / name
    python = place / "bin" / "python"
    done = place / "installed"
    if not done.exists():
        print(f"installing {', '.join(packages)} into {place}", file=sys.stderr)
        venv.create(place, clear=True, with_pip=True)
        subprocess.run([str(python), "-m", "pip", "install", "--quiet", *packages], check=True, stderr=subprocess.DEVNULL)
        done.touch()
    return python


def _verl_script(given: Path | None) -> Path | None:
    """verl's viewer: the file given, else out of a clone of its newest commit; None where that cannot be had."""
    if given is not None:
        return given.resolve()
    clone = FOLDER / "peers" / "verl-repository"
    script = clone / "scripts" / "rollout_viewer.py"
    if not script.exists():
        shutil.rmtree(clone, ignore_errors=True)
        command = ["git", "clone", "--quiet", "--depth", "1", VERL_REPOSITORY, str(clone)]
        try:
            subprocess.run(command, check=True, timeout=120, stderr=subprocess.DEVNULL)
        except (OSError, subprocess.SubprocessError):
            return None
    return script if script.exists() else None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rollouts", type=int, nargs="*", help="how many, once for each number")
    parser.add_argument("--verl", type=Path, help="verl's scripts/rollout_viewer.py, where it is on disk")
    arguments = parser.parse_args()
    script = _verl_script(arguments.verl)
    if script is None:
        print(f"verl's viewer is left out: {VERL_REPOSITORY} cannot be reached from here, and no --verl names the script")
    for rollouts in arguments.rollouts or [200, 20_000]:
        folder = FOLDER / "peers" / f"rollouts-{rollouts}"
        folder.mkdir(parents=True, exist_ok=True)
        print(f"{rollouts:,} rollouts")
        measure(ours(rollouts, folder))
        measure(vf_tui(rollouts, folder))
        if script is not None:
            measure(verl(rollouts, folder, script))


if __name__ == "__main__":
    main()
