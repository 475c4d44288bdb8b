"""Under what a response is scored: which ids, after which prompt; and in what the scorer is unlike the model that drew it.

Ids mean something under their vocabulary only. Where they are unknown (imported), or another vocabulary's, the text can be
tokenized anew: without a stop token, for nobody knows whether one was generated, and after the prompt that the scorer's own
model was given for that problem.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from engine.likelihood.base import Scorer
from engine.likelihood.spelling import retokenized
from engine.prompts import NO_CHAT
from engine.samplers.base import SamplerError
from store.errors import NotFound
from store.likelihoods import ToScore
from store.reader import Study
from store.rows import RunRow
from store.tokens import unpack_ids
from store.types import UNKNOWN, Finish, Model

_KINDS: Final = """
SELECT token.sample_id IS NOT NULL, vocabulary, count(*) FROM json_each(?) AS wanted JOIN sample ON sample_id = wanted.value
LEFT JOIN token USING (sample_id) LEFT JOIN batch USING (batch_id) GROUP BY 1, 2
"""

_PROMPTS: Final = "SELECT problem_id, ids FROM prompt WHERE run_id = ?"

_VOCABULARIES: Final = "SELECT DISTINCT vocabulary FROM batch WHERE run_id = ?"


@dataclass(frozen=True, slots=True)
class Conditioned:
    """A response as it is scored."""

    prompt: Sequence[int]
    ids: Sequence[int]
    stopped: bool
    """The last id is the stop token's."""
    finish: Finish
    retokenized: bool = False


@dataclass(slots=True)
class LeftOut:
    """Responses of one run that cannot be scored."""

    cap: int | None
    scorer: str
    too_long: int = 0
    longest: int = 0
    """Of those with their prompts, in tokens."""
    without_prompt: int = 0
    problems: set[int] = field(default_factory=set)
    """Of those without."""

    @property
    def responses(self) -> int:
        return self.too_long + self.without_prompt

    def notes(self, run: RunRow) -> list[str]:
        """A sentence for each reason."""
        found = []
        if self.too_long:
            found.append(
                f"{_counted(self.too_long)} of {run.slug}, with the prompt up to {self.longest:,} tokens long,"
                f" {_pass(self.too_long)} the {self.cap:,} positions of {self.scorer} and stayed unscored; score with a model"
                f" that reads that far"
            )
        if self.without_prompt:
            found.append(
                f"{_counted(self.without_prompt)} of {run.slug} stayed unscored: {len(self.problems):,} of its problems have no"
                f" prompt that {self.scorer} was given; name a run that has them with --prompt-of"
            )
        return found


class Conditions:
    """Of the responses of one stage, under one scorer."""

    def __init__(self, study: Study, scorer: Scorer, model: Model, retokenize: bool, prompt_of: RunRow | None) -> None:
        self.retokenize = retokenize
        self._study = study
        self._tokenizer = scorer.tokenizer
        self._facts = scorer.facts
        self._model = model
        self._prompt_of = prompt_of
        self._prompts: dict[str, dict[int, list[int]]] = {}
        """By benchmark, then problem id: what the scorer's own model was given."""
        self._left = self._none_left()

    def of(self, sample: ToScore, run: RunRow) -> Conditioned | None:
        """None where it cannot be scored; `left_out` tells why. Raises NotFound where no run has a prompt for it."""
        if sample.ids is not None and sample.vocabulary == self._facts.vocabulary:
            found = Conditioned(sample.prompt or (), sample.ids, sample.stopped, sample.finish)
        else:
            found = self._anew(sample, run)
        if not found.prompt:
            self._left.without_prompt += 1
            self._left.problems.add(sample.problem_id)
            return None
        length = len(found.prompt) + len(found.ids)
        if self._facts.context_cap is not None and length > self._facts.context_cap:
            self._left.too_long += 1
            self._left.longest = max(self._left.longest, length)
            return None
        return found

    def left_out(self) -> LeftOut:
        """Since the last time."""
        left, self._left = self._left, self._none_left()
        return left

    def _none_left(self) -> LeftOut:
        return LeftOut(self._facts.context_cap, self._model.name)

    def _anew(self, sample: ToScore, run: RunRow) -> Conditioned:
        prompt = self._prompts_of(run.benchmark).get(sample.problem_id, [])
        ids = retokenized(self._tokenizer, self._study.texts.response(sample.sample_id))
        return Conditioned(prompt, ids, stopped=False, finish=sample.finish, retokenized=True)

    def _prompts_of(self, benchmark: str) -> dict[int, list[int]]:
        if benchmark not in self._prompts:
            if self._prompt_of is not None and self._prompt_of.benchmark == benchmark:
                self._prompts[benchmark] = self._named(self._prompt_of)
            else:
                self._prompts[benchmark] = self._own(benchmark)
        return self._prompts[benchmark]

    def _named(self, run: RunRow) -> dict[int, list[int]]:
        if not self._is_readable(run):
            raise SamplerError(
                f"the prompts of {run.slug} are of another vocabulary than that of {self._model.name}, or have no token ids;"
                f" name a run of {self._model.name} itself with --prompt-of"
            )
        return self._table(run)

    def _own(self, benchmark: str) -> dict[int, list[int]]:
        """Of all runs of the scorer's model, where they were given the same. Raises NotFound."""
        found: dict[int, list[int]] = {}
        own = [run for run in self._study.runs(benchmark) if self._is_own(run) and self._is_readable(run)]
        for run in own:
            for problem_id, ids in self._table(run).items():
                if found.setdefault(problem_id, ids) != ids:
                    raise NotFound(
                        f"{self._model.name} was given different prompts by {', '.join(one.slug for one in own)}; say with"
                        f" --prompt-of RUN after which a text is to be scored"
                    )
        if not found:
            raise NotFound(
                f"no run of {self._model.name} on {benchmark} has prompts, so there is nothing to score a text after;"
                f" sample some of it with {self._model.name}, or name another run with --prompt-of"
            )
        return found

    def _is_own(self, run: RunRow) -> bool:
        return (run.model.name, run.model.revision) == (self._model.name, self._model.revision)

    def _is_readable(self, run: RunRow) -> bool:
        """Are its prompts there, and of the scorer's vocabulary?"""
        return vocabularies(self._study, run) == {self._facts.vocabulary} and any(self._table(run).values())

    def _table(self, run: RunRow) -> dict[int, list[int]]:
        return {problem_id: unpack_ids(ids) for problem_id, ids in self._study.query(_PROMPTS, (run.run_id,))}


def vocabularies(study: Study, run: RunRow) -> set[str]:
    """Under which its token ids mean something; none of an imported run."""
    return {vocabulary for (vocabulary,) in study.query(_VOCABULARIES, (run.run_id,))}


def require_ids(study: Study, run: RunRow, sample_ids: Sequence[int]) -> None:
    """Raises NotFound where there are none."""
    lacking = sum(number for has_ids, _, number in _kinds(study, sample_ids) if not has_ids)
    if lacking:
        raise NotFound(
            f"{lacking:,} samples of {run.slug} have no token ids (they were imported), so their likelihood cannot be measured"
            f" as they were generated; --retokenize scores their text, and marks it so"
        )


def require_vocabulary(study: Study, run: RunRow, sample_ids: Sequence[int], scorer: Scorer) -> None:
    """Raises SamplerError where ids would mean other things to the scorer."""
    if any(vocabulary != scorer.facts.vocabulary for _, vocabulary, _ in _kinds(study, sample_ids)):
        raise SamplerError(
            f"the scorer has another vocabulary than the model of {run.slug}: their token ids mean different things; score with"
            f" a model of the same family, or --retokenize, which scores the text and marks it so"
        )


def notes_on(study: Study, run: RunRow, scorer: Scorer) -> list[str]:
    """Sentences on special tokens and template, where the scorer's are unlike those the run was drawn with."""
    if vocabularies(study, run) != {scorer.facts.vocabulary}:
        return []  # of ids that nobody knows there is nothing to compare
    return [note for note in (_on_stop(run, scorer), _on_template(run, scorer)) if note is not None]


def _on_stop(run: RunRow, scorer: Scorer) -> str | None:
    ours = scorer.facts.stop_ids
    if run.settings.stop_ids == UNKNOWN or ours is None:
        return None
    theirs = tuple(json.loads(run.settings.stop_ids))
    if set(theirs) == set(ours):
        return None
    return (
        f"{run.slug} was drawn with the stop tokens {_tokens(theirs, scorer.tokenizer)}, the scorer has"
        f" {_tokens(ours, scorer.tokenizer)}: compare the perplexities without the stop token"
    )


def _tokens(ids: Sequence[int], tokenizer: Any) -> str:
    return ", ".join(
        f"{token} ({id_})" for id_, token in zip(ids, tokenizer.convert_ids_to_tokens(list(ids)), strict=True)
    ) or ("none")


def _on_template(run: RunRow, scorer: Scorer) -> str | None:
    asked, ours = run.settings.chat_template, scorer.facts.chat_template
    if asked in (NO_CHAT, UNKNOWN, ours):
        return None
    has = "has none" if ours == NO_CHAT else "has another one"
    return f"{run.slug} was asked in a chat template, and the scorer {has}: it may never have seen the like of these prompts"


def _kinds(study: Study, sample_ids: Sequence[int]) -> list[tuple[Any, ...]]:
    return study.query(_KINDS, (json.dumps(list(sample_ids)),))


def _counted(number: int) -> str:
    return "1 response" if number == 1 else f"{number:,} responses"


def _pass(number: int) -> str:
    return "passes" if number == 1 else "pass"
