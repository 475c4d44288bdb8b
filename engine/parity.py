"""In what two runs that are compared differ besides their models: sentences, never a refusal.

A comparison of base and RL speaks of the training only as far as both were asked and drawn alike: the same prompt ids,
settings, effective caps, stop strings and ids, the same tokenizer. What nobody recorded is unknown, not different. What may
move draws by rounding only (version, number format) is said more softly.

`side_of` reads a run of a study; who has not drawn yet makes a `Side` of what is planned. Standard library only.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from store.reader import Study
from store.rows import RunRow
from store.tokens import unpack_ids
from store.types import SETTING_NAMES, UNKNOWN, Number, Prompt, Settings

_PROMPTS: Final = """
SELECT benchmark || ':' || key, text, ids FROM prompt JOIN problem USING (problem_id) WHERE run_id = ? ORDER BY problem_id
"""

_ENGINES: Final = "SELECT DISTINCT sampler, version, dtype, detail, vocabulary FROM batch WHERE run_id = ? ORDER BY batch_id"

_BY_ENGINE: Final = ("sampler", "dtype", "version", "detail")
_AROUND: Final = 24
"""Characters of a text that are shown on each side of the place where two prompts part."""
_LONGEST: Final = 60
"""Of a setting's value in a sentence."""


@dataclass(frozen=True, slots=True)
class Engine:
    """What drew samples of a run."""

    sampler: str
    version: str
    dtype: str
    detail: str = ""
    vocabulary: str = UNKNOWN


@dataclass(frozen=True, slots=True)
class Side:
    """One of two runs: there, or planned."""

    name: str
    settings: Settings
    prompts: Mapping[str, Prompt] = field(default_factory=dict)
    """By benchmark:key; empty where they are not known, as an imported run's are not."""
    engines: frozenset[Engine] = frozenset()
    """What drew it; empty where nobody knows."""

    def vocabularies(self) -> set[str]:
        return {engine.vocabulary for engine in self.engines} - {UNKNOWN}


@dataclass(frozen=True, slots=True)
class Unlike:
    """A setting that is known of both and differs."""

    name: str
    base: Number
    other: Number


def differences(study: Study, base: RunRow, other: RunRow) -> list[str]:
    """Sentences on the two runs, what weighs most first; none where nothing differs that is known of both."""
    return unlike(side_of(study, base), side_of(study, other))


def side_of(study: Study, run: RunRow) -> Side:
    """A run as the study has it."""
    prompts = {name: Prompt(text, tuple(unpack_ids(ids))) for name, text, ids in study.query(_PROMPTS, (run.run_id,))}
    return Side(run.slug, run.settings, prompts, frozenset(Engine(*row) for row in study.query(_ENGINES, (run.run_id,))))


def unlike(base: Side, other: Side) -> list[str]:
    """As `differences`, of runs that need not be in a study."""
    said = [*_prompts(base, other), *_settings(base, other), *_tokenizers(base, other), *_engines(base, other)]
    return [f"{base.name} and {other.name} {sentence}" for sentence in said]


def beyond_settings(study: Study, base: RunRow, other: RunRow) -> list[str]:
    """What `differences` says beside settings, the runs not named: for a reader who has both and their settings in sight."""
    one, two = side_of(study, base), side_of(study, other)
    return [*_prompts(one, two), *_tokenizers(one, two), *_engines(one, two)]


def unlike_settings(base: Settings, other: Settings) -> list[Unlike]:
    """Settings that are known of both and differ; seeds aside, which are meant to."""
    pairs = ((name, getattr(base, name), getattr(other, name)) for name in SETTING_NAMES if name != "seed")
    return [Unlike(name, one, two) for name, one, two in pairs if one != two and UNKNOWN not in (one, two)]


def _settings(base: Side, other: Side) -> Iterator[str]:
    for one in unlike_settings(base.settings, other.settings):
        said = f"differ in {one.name}: {_short(one.base)} against {_short(one.other)}"
        idle = one.name == "context_cap" and _cuts_nothing(base) and _cuts_nothing(other)
        yield said + (", which cuts nothing: the longest prompt and max_tokens fit in both" if idle else "")


def _cuts_nothing(side: Side) -> bool:
    """Is it known that no response reaches the cap before max_tokens?"""
    cap, most = side.settings.context_cap, side.settings.max_tokens
    longest = max((len(prompt.ids) for prompt in side.prompts.values() if prompt.ids), default=None)
    return longest is not None and not isinstance(cap, str) and not isinstance(most, str) and longest + most <= cap


def _prompts(base: Side, other: Side) -> Iterator[str]:
    common = [name for name in base.prompts if name in other.prompts]
    # Ids of two vocabularies may be equal and mean other words, or differ and mean the same.
    by_ids = not _other_tokenizer(base, other)
    apart = [name for name in common if not _is_same(base.prompts[name], other.prompts[name], by_ids)]
    if apart:
        first = apart[0]
        where = _parting(base.prompts[first], other.prompts[first], by_ids)
        yield f"are prompted differently on {len(apart):,} of {_problems(len(common))}, first {first}: {where}"


def _problems(number: int) -> str:
    return f"{number:,} problem" + ("" if number == 1 else "s")


def _is_same(one: Prompt, other: Prompt, by_ids: bool) -> bool:
    """By token ids, where both are known and mean the same; else by text."""
    return one.ids == other.ids if by_ids and one.ids and other.ids else one.text == other.text


def _parting(one: Prompt, other: Prompt, by_ids: bool) -> str:
    """Where two prompts that are not the same part: the token, and the text around it."""
    said = []
    if by_ids and one.ids and other.ids:
        place = _first_apart(one.ids, other.ids)
        ids = " against ".join(str(ids[place]) if place < len(ids) else "none" for ids in (one.ids, other.ids))
        said.append(f"at token {place + 1} of {len(one.ids)} and {len(other.ids)}, id {ids}")
    if one.text == other.text:
        said.append("the texts are the same: a first token (BOS) or the tokenizer makes the difference")
    else:
        place = _first_apart(one.text, other.text)
        said.append(" against ".join(f"“{_around(prompt.text, place)}”" for prompt in (one, other)))
    return "; ".join(said)


def _first_apart(one: tuple[int, ...] | str, other: tuple[int, ...] | str) -> int:
    """The first place at which two sequences differ; the shorter one's end where it is the other's beginning."""
    alike = (place for place, (a, b) in enumerate(zip(one, other, strict=False)) if a != b)
    return next(alike, min(len(one), len(other)))


def _around(text: str, place: int) -> str:
    start, end = max(0, place - _AROUND), place + _AROUND
    shown = text[start:end].replace("\n", "\\n")
    return ("…" if start else "") + shown + ("…" if end < len(text) else "")


def _tokenizers(base: Side, other: Side) -> Iterator[str]:
    if _other_tokenizer(base, other):
        one, two = ("+".join(sorted(digest[:12] for digest in side.vocabularies())) for side in (base, other))
        units = "max_tokens, lengths and entropies a token are in other units"
        yield f"have other tokenizers, vocabulary {one} against {two}: {units}"


def _other_tokenizer(base: Side, other: Side) -> bool:
    one, two = base.vocabularies(), other.vocabularies()
    return bool(one and two and one != two)


def _engines(base: Side, other: Side) -> Iterator[str]:
    if not (base.engines and other.engines):
        return
    unlike = {name: said for name in _BY_ENGINE if (said := _against(base, other, name))}
    if "sampler" in unlike:
        yield f"were drawn by different engines: {unlike.pop('sampler')}"
        unlike = {name: said for name, said in unlike.items() if name == "dtype"}  # other engines have other versions
    if unlike:
        said = "; ".join(f"{name} {values}" for name, values in unlike.items())
        yield f"may differ by rounding: {said}"


def _against(base: Side, other: Side, name: str) -> str | None:
    """What the two sides' engines say of that; None where it is the same."""
    one, two = ({getattr(engine, name) for engine in side.engines} for side in (base, other))
    return None if one == two else f"{_all(one)} against {_all(two)}"


def _all(values: Iterable[str]) -> str:
    return _short(" + ".join(sorted(value or "none" for value in values)))


def _short(value: object) -> str:
    text = str(value).replace("\n", "\\n")
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
