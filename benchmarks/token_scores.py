"""What token scores take on disk, and how long packing and reading them takes.

    python benchmarks/token_scores.py [STUDY]       the bundled study unless said

Beside it what a user would use instead, packed by the same zstd: one JSON object a token, as a server answers it
(log-probability at temperature 1 and alternatives, nothing else), and plain float32 columns (all, without alternatives).
"""

from __future__ import annotations

import json
import random
import struct
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

sys.path.insert(0, str(Path(__file__).parents[1]))

from sample_data import STUDY
from store.reader import Study
from store.texts import pack_checked, unpack_file
from store.token_scores import LEVEL, TokenScores, pack_scores, unpack_scores

LONG = 16_384


def main(arguments: Sequence[str]) -> int:
    with TemporaryDirectory() as folder:
        path = Path(arguments[0]) if arguments else Path(folder) / "study.db"
        if not arguments:
            path.write_bytes(unpack_file(STUDY.read_bytes()))
        with Study(path) as study:
            packed = [data for (data,) in study.query("SELECT data FROM token_score ORDER BY token_score_id")]
    rows = [unpack_scores(data) for data in packed]
    tokens = sum(len(row.logp) for row in rows)
    with_others = sum(len(row.others or {}) for row in rows)
    print(f"{len(rows):,} responses and models, {tokens:,} tokens, {tokens / len(rows):.0f} a response in the mean")
    print(f"others stand at {100 * with_others / tokens:.0f} % of the tokens")
    _say("ours", sum(map(len, packed)), tokens)
    _say("float32 columns, no others", sum(len(pack_checked(_columns(row), LEVEL)) for row in rows), tokens)
    _say("JSON, temperature 1 and others", sum(len(pack_checked(_json(row), LEVEL)) for row in rows), tokens)
    long = _shuffled(rows)
    data = pack_scores(long)
    print(f"one response of {LONG:,} tokens, those above in no order")
    _say("ours", len(data), LONG)
    packing, reading = _milliseconds(lambda: pack_scores(long)), _milliseconds(lambda: unpack_scores(data))
    print(f"  packed in {packing:.0f} ms, read in {reading:.0f} ms")
    return 0


def _say(what: str, size: int, tokens: int) -> None:
    print(f"  {what:<34}{size / tokens:6.2f} bytes a token and model")


def _columns(row: TokenScores) -> bytes:
    columns = (row.logp, row.decoded or (), row.edge or (), row.entropy or (), row.spans or ())
    return b"".join(struct.pack(f"<{len(column)}f", *column) for column in columns)


def _json(row: TokenScores) -> bytes:
    def told(at: int) -> dict[str, object]:
        others = {str(one.token_id): round(one.logp, 4) for one in (row.others or {}).get(at, ())}
        return {"logprob": round(row.logp[at], 4), "top_logprobs": others}

    return json.dumps([told(at) for at in range(len(row.logp))]).encode()


def _shuffled(rows: Sequence[TokenScores]) -> TokenScores:
    """Tokens of all, in no order: what follows what packs nothing, so that a real response takes less."""
    every = [(row, at) for row in rows if None not in (row.edge, row.decoded, row.entropy) for at in range(len(row.logp))]
    places = random.Random(1).sample(every, LONG)
    return TokenScores(
        logp=[row.logp[at] for row, at in places],
        entropy=[(row.entropy or ())[at] for row, at in places],
        decoded=[(row.decoded or ())[at] for row, at in places],
        edge=[(row.edge or ())[at] for row, at in places],
        spans=[(row.spans or (0,) * (at + 1))[at] for row, at in places],
        others={place: row.others[at] for place, (row, at) in enumerate(places) if row.others and at in row.others},
    )


def _milliseconds(do: Callable[[], object]) -> float:
    """The best of nine."""

    def once() -> float:
        start = time.perf_counter()
        do()
        return 1000 * (time.perf_counter() - start)

    return min(once() for _ in range(9))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
