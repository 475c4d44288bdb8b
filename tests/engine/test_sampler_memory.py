"""Where memory does not suffice: fewer sequences at once, the same draws, and a sentence where not even one fits."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from engine.decoding import Decoding
from engine.prompts import Template
from engine.samplers.base import Manner, Opening, Request, SamplerError
from engine.samplers.slots import ReadPrompt, Slots
from engine.samplers.transformers import TransformersSampler
from tests.engine.tiny import save_model

MANNER = Manner(Decoding(0.9, 0.95), 30)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_model(tmp_path_factory.mktemp("model"))


class Cramped(TransformersSampler):
    """As on a GPU where a step over more than `rows` sequences runs out of memory, and so does reading more than `prompts`."""

    def __init__(self, opening: Opening, rows: int = 1000, prompts: int = 1000, step: int = 0) -> None:
        super().__init__(opening)
        self.rows, self.prompts, self.step = rows, prompts, step
        self.tried: list[int] = []

    def forward(self, tokens: torch.Tensor, positions: torch.Tensor, slots: Slots) -> torch.Tensor:
        self.tried.append(len(tokens))
        if len(tokens) > self.rows and len(self.tried) > self.step:
            raise torch.OutOfMemoryError("made up")
        return super().forward(tokens, positions, slots)

    def read(self, ids: tuple[int, ...]) -> ReadPrompt:
        if len(self._prompts) >= self.prompts and ids not in self._prompts:
            raise torch.OutOfMemoryError("made up")
        return super().read(ids)


def requests(sampler: TransformersSampler, count: int = 50) -> list[Request]:
    bare = Template("{problem}")
    prompts = [sampler.prompt(bare, text).ids for text in ("12?", "a", "what 3 7?", "0", "1 1")]
    return [Request(number, prompts[number % 5], 31 * number + 1) for number in range(count)]


def sampled(sampler: TransformersSampler, count: int = 50) -> dict[object, tuple[int, ...] | None]:
    drawn = list(sampler.sample(requests(sampler, count), MANNER))
    found = {one.request.unit: one.ids for one in drawn}
    assert len(found) == len(drawn) == count, "each once"
    return found


@pytest.mark.parametrize("step", [0, 7])
def test_out_of_memory_half_as_many_are_decoded_and_the_draws_are_the_same(folder: Path, step: int) -> None:
    plain = sampled(TransformersSampler(Opening(folder, batch=16)))
    cramped = Cramped(Opening(folder, batch=16), rows=5, step=step)
    assert sampled(cramped) == plain
    assert max(cramped.tried[: step + 1]) == 16
    assert max(cramped.tried[step + 2 :]) == 4


def test_prompts_that_were_kept_are_given_back_first(folder: Path) -> None:
    cramped = Cramped(Opening(folder, batch=1), prompts=2)
    assert sampled(cramped, 12) == sampled(TransformersSampler(Opening(folder)), 12)


def test_slots_that_do_not_fit_are_laid_out_fewer(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = sampled(TransformersSampler(Opening(folder)))
    asked = []
    lay_out = Slots.lay_out

    def cramped(self: Slots, slots: int) -> None:
        asked.append(slots)
        if slots > 20:
            raise torch.OutOfMemoryError("made up")
        lay_out(self, slots)

    monkeypatch.setattr(Slots, "lay_out", cramped)
    assert sampled(TransformersSampler(Opening(folder, batch=100))) == plain
    assert asked == [100, 50, 25, 12]


@pytest.mark.parametrize("sampler", [{"rows": 0}, {"prompts": 0}], ids=["a step", "a prompt"])
def test_where_not_even_one_fits_a_sentence_says_what_to_change(folder: Path, sampler: dict[str, int]) -> None:
    with Cramped(Opening(folder, batch=8), **sampler) as cramped, pytest.raises(SamplerError, match="a smaller context cap"):
        list(cramped.sample(requests(cramped), MANNER))


def test_a_model_too_large_for_the_device_is_told_so(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise torch.OutOfMemoryError("made up")

    monkeypatch.setattr(torch.nn.Module, "to", full)
    with pytest.raises(SamplerError, match="does not fit into the memory of cpu; give another dtype"):
        TransformersSampler(Opening(folder))
