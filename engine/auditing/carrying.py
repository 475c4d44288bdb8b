"""Labels and marks of one study into another that has got its samples: what `basebound merge` brings beside them."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

from engine.auditing.exchange import read_in, rows_out, write_in
from store.names import Link, parse_link
from store.reader import Study

_SPOKEN_OF: Final = """
SELECT run.slug, run.key, benchmark, problem.key, idx
FROM sample JOIN run USING (run_id) JOIN problem USING (problem_id, benchmark)
WHERE source_id IS NULL AND sample_id IN (SELECT sample_id FROM audit UNION SELECT sample_id FROM mark)
"""


def carry(shard: Path, path: Path, others: Collection[Link] = ()) -> tuple[int, int]:
    """Add what people said of the shard's own samples and the study at `path` does not have, by the rules of an import:
    what was said later stays in force. Returns how many labels and marks were added.

    others: samples of the study that are not the shard's, though they have its names.
    """
    with Study(shard) as study, Study(path) as whole:
        slugs = {row.key: row.slug for row in whole.runs()}
        links = {Link(slug, *place): Link(slugs[key], *place) for slug, key, *place in study.query(_SPOKEN_OF) if key in slugs}
        wanted = {link: there for link, there in links.items() if there not in others}
        if not wanted:
            return 0, 0
        new, taken = read_in(whole, _lines(study, wanted), is_csv=False)
    if taken.added or taken.marked:
        write_in(path, new)
    return taken.added, taken.marked


def _lines(study: Study, wanted: dict[Link, Link]) -> Iterator[str]:
    for row in rows_out(study):
        there = wanted.get(replace(parse_link(row["trace"]), step=None))
        if there is not None:
            yield json.dumps(row | {"trace": str(there)})
