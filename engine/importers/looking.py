"""Tells what a file is by its first bytes: one JSON document or many, CSV, YAML, Parquet, an archive, any text."""

from __future__ import annotations

import csv
import tarfile
from contextlib import suppress
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import IO, Any, Final

from engine.importers.documents import (
    Head,
    InputFile,
    NotJson,
    Row,
    Shape,
    bare_name,
    brief,
    delimiter_of,
    json_value,
    open_table,
    partial,
)
from engine.importers.files import BROKEN, ImportProblem, Line, lines, open_stream

HEAD_BYTES: Final = 1 << 20
HEAD_ROWS: Final = 20
KEPT_CHARS: Final = 64 << 10
"""Of the text that was looked at: a folder of files has all their heads in memory at once."""


def look(path: Path, name: str | None = None) -> InputFile:
    """Tell what a file is. name: what to call it, where that is not its path. Raises ImportProblem where it cannot be read."""
    name = name or str(path)
    with open_stream(path) as (stream, _):
        data = _first_bytes(stream)
        if (binary := _binary(path, name, data)) is not None:
            return binary
        text = data.decode("utf-8", "replace").removeprefix("\ufeff")
        if not text.strip():
            raise ImportProblem(f"{name} holds no line that can be read; check the file")
        if bare_name(name).endswith((".yaml", ".yml")):
            return InputFile(path, name, Shape.YAML, Head(rows=_yaml_head(text), text=text[:KEPT_CHARS]))
        shape = None if _is_prose(name) else _json_shape(data, stream)
    if shape is Shape.LINES:
        return InputFile(path, name, shape, Head(rows=_first_rows(path), text=text[:KEPT_CHARS]))
    if shape is not None:
        sketch = partial(data)
        rows = tuple(sketch[:HEAD_ROWS]) if isinstance(sketch, list) else (sketch,)
        return InputFile(path, name, shape, Head(rows=rows, text=text[:KEPT_CHARS]))
    return _text(path, name, text)


def _binary(path: Path, name: str, data: bytes) -> InputFile | None:
    """What is told by its first bytes alone."""
    if data.startswith(b"PAR1"):
        return _table_file(path, name)
    if data.startswith(b"PK\x03\x04"):
        return InputFile(path, name, Shape.ZIP, Head(names=_zip_names(path, name)))
    return InputFile(path, name, Shape.TAR, Head()) if _is_tar(data) else None


def _is_tar(data: bytes) -> bool:
    """Whether it begins with a header whose checksum holds: five letters in their place any text may have."""
    try:
        tarfile.TarInfo.frombuf(data[: tarfile.BLOCKSIZE], "utf-8", "surrogateescape")
    except tarfile.HeaderError:
        return False
    return data[257:262] == b"ustar"


def _text(path: Path, name: str, text: str) -> InputFile:
    """What is neither JSON nor YAML."""
    if delimiter_of(text) and not _is_prose(name):
        return _csv_file(path, name, text)
    return InputFile(path, name, Shape.TEXT, Head(text=text[:KEPT_CHARS]))


def _is_prose(name: str) -> bool:
    """By its name: a line of a report may look like JSON."""
    return bare_name(name).endswith((".md", ".txt", ".py"))


def _csv_file(path: Path, name: str, text: str) -> InputFile:
    file = InputFile(path, name, Shape.CSV, Head(text=text[:KEPT_CHARS]))
    rows = tuple(row.value for row in islice(file.rows(), HEAD_ROWS) if isinstance(row, Row))
    header: list[str] = []
    with suppress(csv.Error):  # reading it tells what is wrong
        header = next(csv.reader([text.partition("\n")[0]], delimiter=delimiter_of(text) or ","), [])
    return replace(file, head=Head(rows, text[:KEPT_CHARS], frozenset(column.strip().lower() for column in header)))


def _first_bytes(stream: IO[bytes]) -> bytes:
    parts: list[bytes] = []
    size = 0
    try:
        while size < HEAD_BYTES and (block := stream.read1(HEAD_BYTES - size)):  # type: ignore[attr-defined]
            parts.append(block)
            size += len(block)
    except BROKEN:
        pass  # reading it tells where it breaks off
    return b"".join(parts)


def _json_shape(data: bytes, stream: IO[bytes]) -> Shape | None:
    """Lines or one document, by the first bytes; None for what is no JSON. stream: what comes after them."""
    bare = data.removeprefix(b"\xef\xbb\xbf").lstrip()
    found = [line for line in bare.split(b"\n") if line.strip()]
    complete = found[: HEAD_ROWS + 1] if len(data) < HEAD_BYTES else found[:-1][: HEAD_ROWS + 1]
    values = [_json(line) is not None for line in complete]
    if not bare.startswith((b"{", b"[")):
        return Shape.LINES if any(values) else None
    document = Shape.ARRAY if bare.startswith(b"[") else Shape.OBJECT
    if not complete:  # a first line of more than the head
        return Shape.LINES if _goes_on(stream) else document
    if values[0]:
        return Shape.LINES if len(found) > 1 else document
    # The first line is no JSON by itself: a document laid out over lines, or lines of which the first is broken.
    return document if _goes_well(bare, cut=len(data) >= HEAD_BYTES) or not any(values) else Shape.LINES


def _json(line: bytes) -> Any:
    """The object or list of a line; None where it is none."""
    if not line.lstrip().startswith((b"{", b"[")):
        return None
    try:
        return json_value(line)
    except NotJson:
        return None


def _goes_on(stream: IO[bytes]) -> bool:
    """Is there anything after the line that the stream stands in?"""
    try:
        while (block := stream.readline(HEAD_BYTES)) and not block.endswith(b"\n"):
            pass
        while block := stream.readline(HEAD_BYTES):
            if block.strip():
                return True
    except BROKEN:
        pass
    return False


def _goes_well(data: bytes, *, cut: bool) -> bool:
    """Is it the beginning of one JSON document, and if nothing was cut off, all of it?"""
    import ijson

    try:
        for _ in ijson.basic_parse(data.decode("utf-8", "replace").encode("utf-8")):
            pass
    except ijson.IncompleteJSONError as error:
        return cut and "parse error" not in str(error) and "lexical error" not in str(error)
    except (ijson.JSONError, RecursionError):
        return False
    return True


def _first_rows(path: Path) -> tuple[Any, ...]:
    rows: list[Any] = []
    size = 0
    for line in islice(lines(path), HEAD_ROWS):
        size += len(line.data) if isinstance(line, Line) else 0
        value = _json(line.data) if isinstance(line, Line) else None
        if value is not None:
            rows.append(value)
        if size > HEAD_BYTES:
            break
    return tuple(rows)


def _yaml_head(text: str) -> tuple[Any, ...]:
    """The top-level names of a YAML document, as far as its head goes, each with nothing."""
    names = [line.partition(":")[0] for line in text.split("\n") if ":" in line and not line.startswith((" ", "-", "#"))]
    return (dict.fromkeys(names),)


def _table_file(path: Path, name: str) -> InputFile:
    table, arrow_error = open_table(path)
    with table:
        names = frozenset(str(column) for column in table.schema_arrow.names)
        try:
            batch = next(table.iter_batches(batch_size=3), None)
            rows = tuple(batch.to_pylist()) if batch is not None else ()
        except (arrow_error, OSError, ValueError):
            rows = ()
    return InputFile(path, name, Shape.TABLE, Head(rows=rows, names=names))


def _zip_names(path: Path, name: str) -> frozenset[str]:
    from engine.importers.zips import UNREADABLE, ZipFile

    try:
        with ZipFile(path) as archive:
            return frozenset(archive.namelist())
    except UNREADABLE as error:
        raise ImportProblem(f"{name} is a zip file that cannot be read: {brief(error)}") from None
