"""Files as streams of lines: plain or gzip (told by content, not by name), with flat memory whatever the size.

A file is read twice: once to know its content's hash (a file that was imported before, or has grown since, is recognised by
it) and once line by line. A line longer than MAX_LINE_BYTES is left out, and so is what follows MAX_BLANK_LINES blank lines:
neither a broken file nor a gzip bomb fills the memory or takes the day.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final, cast

from engine.importers.base import BadLine, ImportProblem, Line
from engine.importers.fields import Record

MAX_LINE_BYTES: Final = 256 << 20
MAX_BLANK_LINES: Final = 1_000_000
_BLOCK: Final = 1 << 20
_TELL_EVERY: Final = 64
"""Lines between two words on progress: asking where a file stands is a system call."""

_BROKEN_GZIP = (EOFError, gzip.BadGzipFile, zlib.error)


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What tells a file's content from any other."""

    sha256: str
    bytes: int
    """Uncompressed."""
    grown_from: str | None
    """The known content that is a proper beginning of this one: sha256."""


def open_stream(path: Path) -> tuple[IO[bytes], IO[bytes]]:
    """The uncompressed stream, and the raw one beneath it, whose position tells progress. Close both.

    Raises ImportProblem where the file cannot be read.
    """
    if path.exists() and not path.is_file():
        raise ImportProblem(f"{path} is not a regular file; a file is read more than once, so write it to the disk first")
    try:
        raw = path.open("rb")
    except OSError as error:
        raise ImportProblem(f"{path} cannot be read: {error.strerror}; check the path") from None
    is_gzip = raw.peek(2)[:2] == b"\x1f\x8b"
    return (cast(IO[bytes], gzip.GzipFile(fileobj=raw)) if is_gzip else raw), raw


def fingerprint(path: Path, known: Sequence[tuple[int, str]] = ()) -> Fingerprint:
    """Hash a file's content. known: (bytes, sha256) of sources, shortest first; the longest that begins this one is named."""
    stream, raw = open_stream(path)
    digest, size, grown_from = hashlib.sha256(), 0, None
    ahead = list(known)
    with raw, stream:
        for block in _blocks(stream):
            while ahead and ahead[0][0] <= size + len(block):
                length, sha256 = ahead.pop(0)
                part = digest.copy()
                part.update(block[: length - size])
                if part.hexdigest() == sha256:
                    grown_from = sha256
            digest.update(block)
            size += len(block)
    sha256 = digest.hexdigest()
    return Fingerprint(sha256, size, None if grown_from == sha256 else grown_from)


def _blocks(stream: IO[bytes]) -> Iterator[bytes]:
    try:
        # Not read(): where a compressed file breaks off, it would throw away what comes before the break.
        while block := stream.read1(_BLOCK):  # type: ignore[attr-defined]
            yield block
    except _BROKEN_GZIP:
        return  # what can be read counts; `lines` reports where it ends


def lines(path: Path, progress: Callable[[int], None] = lambda _: None) -> Iterator[Line | BadLine]:
    """Every line that is not blank. progress is told the position in the file, in (compressed) bytes.

    Bytes that are no UTF-8 survive as lone surrogates: text is never dropped for its encoding.
    """
    stream, raw = open_stream(path)
    number = blank = 0
    with raw, stream:
        try:
            while data := stream.readline(MAX_LINE_BYTES):
                number += 1
                blank = blank + 1 if data.isspace() else 0
                if blank > MAX_BLANK_LINES:
                    yield BadLine(number, f"{MAX_BLANK_LINES:,} blank lines before it: the rest of the file is left out")
                    return
                if number % _TELL_EVERY == 0:
                    progress(raw.tell())
                if not data.endswith(b"\n") and len(data) == MAX_LINE_BYTES:
                    _skip_line(stream)
                    yield BadLine(number, f"longer than {MAX_LINE_BYTES >> 20} MiB")
                elif not blank:
                    yield Line(number, _decode(data, number))
        except _BROKEN_GZIP as error:
            yield BadLine(number + 1, f"the compressed file is broken from here on ({error})")


def _skip_line(stream: IO[bytes]) -> None:
    while (data := stream.readline(_BLOCK)) and not data.endswith(b"\n"):
        pass


def _decode(data: bytes, number: int) -> str:
    if number == 1:
        data = data.removeprefix(b"\xef\xbb\xbf")
    return data.decode("utf-8", "surrogateescape")


def find_sidecar(path: Path) -> tuple[Path | None, Record]:
    """The settings that lie beside a rollout file: `run_config.json`, or `PREFIX__run_config.json` for `PREFIX__NAME`.

    Raises ImportProblem where it is there and cannot be read.
    """
    prefix = path.name.rpartition("__")[0]
    sidecar = path.with_name(f"{prefix}__run_config.json" if prefix else "run_config.json")
    if not sidecar.is_file():
        return None, {}
    try:
        value = json.loads(sidecar.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise ImportProblem(f"{sidecar}, the settings beside {path.name}, cannot be read: {error}") from None
    if not isinstance(value, dict):
        raise ImportProblem(f"{sidecar}, the settings beside {path.name}, is not a JSON object")
    return sidecar, value
