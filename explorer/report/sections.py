"""From the report's values to its document: what is said, in which order.

Nothing is judged here beyond what the analyses found: a sentence gives the difference, its interval and its test, whichever way
they point. What is said of runs stands in on_runs.py, of pairs in on_pairs.py, of likelihoods in on_likelihoods.py, of
claims and audits in on_claims.py and on_audits.py, and where all of it comes from in provenance.py.
"""

from __future__ import annotations

from collections.abc import Iterator

from explorer.report import on_audits, on_claims, on_likelihoods, on_pairs, on_runs, provenance
from explorer.report.document import Block, Document, Points, Prose, Section
from explorer.report.material import BenchmarkPart, Material
from explorer.report.wording import LEVEL_WORDS, problems


def document(material: Material) -> Document:
    """The whole report."""
    of = material.provenance
    names = ", ".join(part.board.benchmark for part in material.benchmarks)
    runs = sum(len(part.runs) for part in material.benchmarks)
    subtitle = f"{names} · {runs} run{'' if runs == 1 else 's'} · {LEVEL_WORDS} intervals · basebound {of.basebound}"
    sections = [section for part in material.benchmarks for section in _benchmark(part)]
    whence = Section("Provenance", list(provenance.blocks(material)))
    return Document(f"Report on {of.study}", subtitle, [*sections, _method(), whence])


def _benchmark(part: BenchmarkPart) -> Iterator[Section]:
    name = part.board.benchmark
    yield Section(name, [_lead(part), *_readings(part), *on_runs.results(part), *on_pairs.sets(part)])
    for at, pair in enumerate(part.pairs):
        title = f"{pair.other.name} against {pair.base.name}"
        yield Section(title, list(on_pairs.pair(part, pair, at)), 3)
    if part.claims:
        yield Section(f"Claims of the field, on {name}", list(on_claims.blocks(part)), 3)
    if part.perplexities:
        yield Section("Perplexity", list(on_likelihoods.perplexity(part)), 3)
    if part.likelihoods:
        yield Section("What one model finds of the other's traces", list(on_likelihoods.blocks(part)), 3)
    if part.audit:
        yield Section("Audits", list(on_audits.blocks(part, part.audit)), 3)
    yield Section("Health of the samples", list(on_runs.health(part)), 3)


def _lead(part: BenchmarkPart) -> Block:
    board = part.board
    common = f"compared at a common k of up to {part.common_k:,}" if part.common_k else "not judged in common"
    return Prose(
        f"{problems(len(board.problems))}, {len(part.runs)} run{'' if len(part.runs) == 1 else 's'} {common}, verdicts by"
        f" {board.verifier}. A pair is compared on the problems that both its runs were judged on, at the smaller n of"
        " the two."
    )


def _readings(part: BenchmarkPart) -> Iterator[Block]:
    if part.pairs:
        yield on_pairs.glance(part)
    elif len(part.runs) > 1:
        yield Prose("No run is known as base, so nothing is paired: name one with --base, or bring roles with import --role.")
    if part.parts:
        names = ", ".join(run.name for run in part.parts)
        yield Prose(
            f"Fewer traces are stored than were counted of: {names}. What is made from traces (health, audits) is of those"
            " stored, which may have been chosen by their answers; what is made from likelihoods says which samples it is of.",
            warns=True,
        )


def _method() -> Section:
    points = [
        "n is correct + incorrect + no answer under the deciding verifier; errors and unjudged samples are no part of it.",
        "pass@k is the unbiased 1 − C(n−c, k)/C(n, k), the mean over problems; undefined for k > n.",
        "Over problems: problems drawn again, both runs of a pair together. From sampling alone: each problem's chance drawn"
        " from its posterior under a fitted prior. Bands in figures hold for the whole curve, intervals in tables for one k.",
        "Tests are exact where they can be. q-values are Benjamini and Hochberg's, for independent or positively dependent"
        " tests, each over one family of one benchmark: its pairs at k = 1; its pairs at the common k; of each pair Fisher's"
        " tests over the problems; all tests of the claims. No q is over two of these, nor over two benchmarks.",
        "“Unsolved in k draws” says little of more draws: of a problem without a success in n samples the chance is below"
        " 1 − 0.05^(1/n), and no more is known.",
    ]
    return Section("How the numbers are made", [Points(points)])
