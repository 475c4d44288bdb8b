"""Names and links: `slug` for a run, `benchmark:key` for a problem, `slug/benchmark:key/index#step` for a place in a trace.

Each part of a link is percent-encoded (RFC 3986 unreserved characters stay), so any key survives a shell, a mail and a
file. This is the one parser.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, unquote

from store.errors import NotFound
from store.types import SETTING_NAMES, UNKNOWN, Model, Number, Run, Settings


@dataclass(frozen=True, slots=True)
class Link:
    """A place in a study. Parts to the right may be missing: a run, a run's problem, a sample, a step of a sample."""

    slug: str
    benchmark: str | None = None
    key: str | None = None
    index: int | None = None
    step: int | None = None
    """1-based step of the response."""

    def __str__(self) -> str:
        parts = [_encode(self.slug)]
        if self.benchmark is not None and self.key is not None:
            parts.append(f"{_encode(self.benchmark)}:{_encode(self.key)}")
            if self.index is not None:
                parts.append(str(self.index) + (f"#{self.step}" if self.step is not None else ""))
        return "/".join(parts)


_LINK = re.compile(
    r"(?P<slug>[^/:#]+)(?:/(?P<benchmark>[^/:#]+):(?P<key>[^/:#]+)(?:/(?P<index>\d{1,18})(?:#(?P<step>\d{1,9}))?)?)?"
)


def parse_link(text: str) -> Link:
    """The inverse of `str(Link)`.

    Raises NotFound where `text` is no link.
    """
    found = _LINK.fullmatch(text.strip())
    if found is None:
        raise NotFound(f"'{text}' is not a link; a link looks like run/benchmark:problem/sample#step")
    part = found.groupdict()
    return Link(
        slug=unquote(part["slug"]),
        benchmark=_optional(part["benchmark"]),
        key=_optional(part["key"]),
        index=int(part["index"]) if part["index"] else None,
        step=int(part["step"]) if part["step"] else None,
    )


def _encode(part: str) -> str:
    # Lone surrogates (from broken input) cannot be percent-encoded as UTF-8; '?' keeps the link printable.
    return quote(part.encode("utf-8", "replace"), safe="@")


def _optional(part: str | None) -> str | None:
    return None if part is None else unquote(part)


def slug_candidates(run: Run) -> list[str]:
    """Readable names for a run, shortest first: the writer takes the first that is free. The last one always is."""
    model = run.model.name.rstrip("/").rsplit("/", 1)[-1] or "model"
    revision = revision_name(run.model)
    short = slugify(f"{model}-{revision}" if revision else model)
    at = f"{short}@{slugify(run.benchmark)}"
    temperature = f"-t{number_text(run.settings.temperature)}"
    prompt = "" if run.settings.prompt_template == UNKNOWN else f"-{slugify(run.settings.prompt_template)[:16]}"
    return [at, at + temperature, at + temperature + prompt, f"{at}-{run.key[:8]}", f"{at}-{run.key}"]


def revision_name(model: Model) -> str:
    """What people call this revision of a model; "" where there is nothing to tell. A content digest is no name."""
    if model.revision.startswith("sha256:"):
        return "" if model.step is None else f"step-{model.step}"
    return "" if model.revision in (UNKNOWN, "main") else model.revision[:12]


_SAID_AS: Final = {"temperature": "T", "top_p": "top-p", "prompt_template": "prompt", "max_tokens": "max", "top_k": "top-k"}
"""How a setting is called in a short name; the others by their own name. What people vary first comes first."""


def run_names(runs: Sequence[tuple[Model, Settings]]) -> list[str]:
    """Short names for the runs of one benchmark: the model's last part, its step or revision, and where several runs share
    these, the first settings that tell them apart. Runs that nothing tells apart are numbered."""
    names = [_model_name(model) for model, _ in runs]
    for setting in (*_SAID_AS, *(name for name in SETTING_NAMES if name not in _SAID_AS)):
        for name in {name for name in names if names.count(name) > 1}:
            alike = [i for i, one in enumerate(names) if one == name]
            values = {i: number_text(getattr(runs[i][1], setting)) for i in alike}
            if len(set(values.values())) > 1:
                for i in alike:
                    names[i] = f"{name} {_SAID_AS.get(setting, setting)} {' '.join(values[i].split())[:16]}"
    return [f"{name} #{names[:i].count(name) + 1}" if names.count(name) > 1 else name for i, name in enumerate(names)]


def _model_name(model: Model) -> str:
    short = model.name.rstrip("/").rsplit("/", 1)[-1]
    if model.step is not None:
        return f"{short} step {model.step}"
    revision = revision_name(model)
    return f"{short} {revision}" if revision else short


def slugify(text: str) -> str:
    """Lower case; letters, digits, dot, underscore and dash only."""
    return re.sub(r"[^a-z0-9._-]+", "-", text.lower()).strip("-") or "x"


def number_text(value: Number) -> str:
    """A setting as people write it: 0.6, 16384, unknown."""
    return f"{value:g}" if isinstance(value, float) else str(value)
