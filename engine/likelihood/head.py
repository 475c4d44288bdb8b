"""The output head by itself, its logits in float32 even where the model has 16 bits.

Rounded to bfloat16 a logit of 30 is known to an eighth of a nat only, and tokens tie that do not.
"""

from __future__ import annotations

import torch
from transformers import PreTrainedModel

from engine.models import REFUSED
from engine.samplers.base import SamplerError


class Head:
    """From the last layer's output to logits. Raises SamplerError where the model has another head than one matrix."""

    def __init__(self, model: PreTrainedModel) -> None:
        linear = model.get_output_embeddings()
        if not isinstance(linear, torch.nn.Linear):
            raise SamplerError(f"this model has no plain output head, {REFUSED}")
        self._weight, self._bias = linear.weight.detach(), linear.bias
        self.vocabulary = len(self._weight)
        self._widens = self._weight.element_size() < 4 and _widens(self._weight)
        if self._weight.element_size() < 4 and not self._widens:
            self._weight = self._weight.float()  # a copy, but made once

    def __call__(self, hidden: torch.Tensor) -> torch.Tensor:
        """[rows, width] -> [rows, vocabulary], float64 of a float64 model, else float32."""
        if self._widens:
            logits = torch.mm(hidden, self._weight.t(), out_dtype=torch.float32)
        else:
            logits = hidden.to(self._weight.dtype) @ self._weight.t()
        return logits if self._bias is None else logits + self._bias


def _widens(weight: torch.Tensor) -> bool:
    """Whether the device multiplies 16 bits into 32: the sums are made in 32 anyway. CPUs do not."""
    try:
        torch.mm(weight[:8], weight[:8].t(), out_dtype=torch.float32)
    except (RuntimeError, TypeError):  # NotImplementedError is a RuntimeError
        return False
    return True
