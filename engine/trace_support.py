"""Can a model draw one trace, at the decoding its run was drawn with? By the sums, which every model that scored it
has; which tokens forbid it is known of those alone that went through it token by token (`engine.trace_tokens.forbidden`)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from engine.analyses.support import excludes, margin_of
from store.reader import Study
from store.types import Model, Role

_SUMS: Final = """
SELECT model.name, model.revision, model.role, model.step, scored.temperature, scored.top_p, scored.top_k, scored.tokens,
       outside, edge, retokenized, dtype
FROM likelihood AS scored JOIN model ON model_id = scorer_id
WHERE sample_id = ? AND NOT (scored.temperature = 1 AND scored.top_p = 1 AND scored.top_k = 0)
ORDER BY CASE role WHEN 'base' THEN 0 ELSE 1 END, scorer_id
"""


@dataclass(frozen=True, slots=True)
class TraceSupport:
    """One trace under one model, at one decoding that excludes tokens."""

    scorer: Model
    temperature: float
    top_p: float
    top_k: int
    tokens: int
    outside: int
    """Tokens that lie outside the nucleus, without a margin."""
    edge: float | None
    """The largest of its tokens (`engine.analyses.support`); None where the scorer told of none."""
    inside: bool
    """Can it be drawn, up to the margin of the scorer's arithmetic?"""
    retokenized: bool


def trace_supports(study: Study, sample_id: int) -> list[TraceSupport]:
    """By every model that has scored the trace at a decoding other than temperature 1, a base model first."""
    return [
        TraceSupport(
            scorer=Model(name, revision, Role(role), step=step),
            temperature=temperature,
            top_p=top_p,
            top_k=top_k,
            tokens=tokens,
            outside=outside,
            edge=edge,
            inside=outside == 0 if edge is None else edge < margin_of(dtype, top_p),
            retokenized=bool(anew),
        )
        for name, revision, role, step, temperature, top_p, top_k, tokens, outside, edge, anew, dtype in study.query(
            _SUMS, (sample_id,)
        )
        if excludes(top_p, top_k)
    ]
