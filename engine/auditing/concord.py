"""How far auditors agree on the traces that more than one of them labelled.

Compared are the labels (eight of them), and what they mean (sound, unsound, undecided, verdict corrected): two people who call
one trace a guess and a case of cancelling errors agree that it is unsound. Models are told apart from people: each is held
against every person and against people together, and is never part of the people's alpha.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from engine.analyses.agreement import Alpha, Kappa, cohen_kappa, krippendorff_alpha
from engine.auditing.labels import Rule, combined
from store.audits import MEANINGS, Meaning, audits, is_model
from store.reader import Study

PEOPLE = "people together"


@dataclass(frozen=True, slots=True)
class Pair:
    """Two auditors, on the traces both labelled."""

    one: str
    other: str
    meanings: Kappa
    labels: Kappa | None
    """None for people together: they are combined by what they mean."""


@dataclass(frozen=True, slots=True)
class Concord:
    """Agreement of all auditors of a benchmark."""

    labelled: Mapping[str, int]
    """Traces by auditor, people first."""
    pairs: tuple[Pair, ...]
    rule: Rule
    """By which people are combined before a model is held against them."""
    people: Alpha | None
    """Krippendorff's alpha of all people, on what they mean; None for fewer than two."""


def concord(study: Study, benchmark: str, rule: Rule = Rule.UNANIMOUS) -> Concord:
    """Agreement of all auditors who have labels in force."""
    said: dict[str, dict[int, int]] = {}
    for row in audits(study, benchmark):
        if row.label is not None:
            said.setdefault(row.auditor, {})[row.sample_id] = row.label
    names = sorted(said, key=lambda name: (is_model(name), name))
    people = [name for name in names if not is_model(name)]
    pairs = [_pair(one, other, said) for one, other in combinations(names, 2)]
    if len(people) > 1:
        together = _together([said[name] for name in people], rule)
        pairs += [_with_people(name, together, said[name]) for name in names if is_model(name)]
    return Concord({name: len(said[name]) for name in names}, tuple(pairs), rule, _alpha({name: said[name] for name in people}))


def _pair(one: str, other: str, said: Mapping[str, Mapping[int, int]]) -> Pair:
    shared = sorted(said[one].keys() & said[other].keys())
    labels = [[said[name][sample] for sample in shared] for name in (one, other)]
    meanings = [[MEANINGS[label] for label in of] for of in labels]
    return Pair(one, other, cohen_kappa(*meanings), cohen_kappa(*labels))


def _together(said: Sequence[Mapping[int, int]], rule: Rule) -> dict[int, Meaning]:
    samples = {sample for of in said for sample in of}
    return {sample: combined([MEANINGS[of[sample]] for of in said if sample in of], rule) for sample in samples}


def _with_people(name: str, together: Mapping[int, Meaning], labels: Mapping[int, int]) -> Pair:
    shared = sorted(together.keys() & labels.keys())
    meanings = cohen_kappa([together[sample] for sample in shared], [MEANINGS[labels[sample]] for sample in shared])
    return Pair(PEOPLE, name, meanings, None)


def _alpha(said: Mapping[str, Mapping[int, int]]) -> Alpha | None:
    if len(said) < 2:
        return None
    samples = sorted({sample for of in said.values() for sample in of})
    means = {name: [MEANINGS[of[sample]] if sample in of else None for sample in samples] for name, of in said.items()}
    return krippendorff_alpha(means)
