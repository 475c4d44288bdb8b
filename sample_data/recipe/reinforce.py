"""RL on checked answers, on-policy: each step draws groups of responses, rewards the right ones, and takes one gradient step.

- grpo    advantage = (reward - group mean) / group deviation (Shao et al. 2024, arXiv 2402.03300), no KL penalty
- rloo    advantage = reward - mean of the others of its group (Ahmadian et al. 2024, arXiv 2402.14740), less a penalty on
          leaving the base model: the log-ratio of each response, counted against its reward

The reward is 1 where the last box holds the answer, else 0. The loss is a mean over response tokens.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Final, Literal, cast

import torch
from transformers import PreTrainedModel

from engine.decoding import PLAIN
from engine.prompts import Template
from engine.samplers.base import Drawn, Manner, Opening, Request
from engine.samplers.transformers import TransformersSampler
from sample_data import MAX_TOKENS, PROMPT
from sample_data.recipe.corpus import HARD
from sample_data.recipe.problems import FAMILIES, Task, tasks

Algorithm = Literal["grpo", "rloo"]

PROBLEMS: Final = 16
GROUP: Final = 16
LEARNING_RATE: Final = 3e-4
CHUNK: Final = 96
"""Sequences per backward pass: what memory needs, not what the gradient means."""

_BOX: Final = re.compile(r"\\boxed\{(\d+)\}")


@dataclass(frozen=True, slots=True)
class Rollout:
    """A response with its reward. Those of one problem stand together."""

    ids: tuple[int, ...]
    prompt: int
    reward: float


def reinforce(
    start: Path,
    algorithm: Algorithm,
    *,
    steps: int,
    seed: int,
    penalty: float,
    at: Callable[[int, PreTrainedModel], None],
) -> None:
    """Train from the model in `start`. at: told the number of steps done and the model, after each step."""
    torch.manual_seed(seed)
    sampler = TransformersSampler(Opening(start, batch=GROUP * PROBLEMS, dtype="float32", device="cpu"))
    reference = TransformersSampler(Opening(start, dtype="float32", device="cpu")).model if penalty else None
    optimiser = torch.optim.AdamW(sampler.model.parameters(), lr=LEARNING_RATE, weight_decay=0.0, betas=(0.9, 0.98))
    stream = _tasks(Random(seed))
    began = time.monotonic()
    for step in range(1, steps + 1):
        rollouts = _roll_out(sampler, [next(stream) for _ in range(PROBLEMS)], seed, step)
        _learn(sampler.model, reference, optimiser, rollouts, algorithm, penalty)
        sampler.forget_prompts()
        at(step, sampler.model)
        if step % 10 == 0 or step == 1:
            mean = sum(r.reward for r in rollouts) / len(rollouts)
            length = sum(len(r.ids) - r.prompt for r in rollouts) / len(rollouts)
            print(f"  step {step:4d}  reward {mean:.3f}  tokens {length:5.1f}  {time.monotonic() - began:5.0f} s", flush=True)


def _tasks(rng: Random) -> Iterator[Task]:
    streams = {(family, hard): tasks(rng, family, hard, "rl") for family in FAMILIES for hard in (False, True)}
    while True:
        yield next(streams[rng.choice(FAMILIES), rng.random() < HARD])


def _roll_out(sampler: TransformersSampler, problems: list[Task], seed: int, step: int) -> list[Rollout]:
    prompts = [sampler.prompt(Template(PROMPT), task.statement).ids for task in problems]
    requests = [
        Request((number, index), prompt, hash((seed, step, number, index)) & (1 << 62) - 1)
        for number, prompt in enumerate(prompts)
        for index in range(GROUP)
    ]
    drawn = {cast(tuple[int, int], d.request.unit): d for d in sampler.sample(requests, Manner(PLAIN, MAX_TOKENS))}
    return [_rollout(drawn[unit], problems[unit[0]]) for unit in sorted(drawn)]


def _rollout(drawn: Drawn, task: Task) -> Rollout:
    prompt = drawn.request.prompt
    return Rollout((*prompt, *(drawn.ids or ())), len(prompt), reward(drawn.text, task))


def reward(response: str, task: Task) -> float:
    boxes = _BOX.findall(response)
    return 1.0 if boxes and int(boxes[-1]) == task.answer else 0.0


def _learn(
    model: PreTrainedModel,
    reference: PreTrainedModel | None,
    optimiser: torch.optim.Optimizer,
    rollouts: list[Rollout],
    algorithm: Algorithm,
    penalty: float,
) -> None:
    rewards = torch.tensor([r.reward for r in rollouts])
    chunks = _chunks(rollouts)
    if reference is not None:
        with torch.no_grad():
            for chunk in chunks:
                ratio = _log_probabilities(model, rollouts, chunk) - _log_probabilities(reference, rollouts, chunk)
                rewards[chunk] -= penalty * ratio.sum(dim=1)
    advantages = _advantages(rewards.view(-1, GROUP), algorithm).flatten()
    tokens = sum(len(rollouts[i].ids) - rollouts[i].prompt for chunk in chunks for i in chunk)
    for chunk in chunks:
        if bool(advantages[chunk].any()):
            logp = _log_probabilities(model, rollouts, chunk)
            (-(advantages[chunk, None] * logp).sum() / tokens).backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimiser.step()
    optimiser.zero_grad(set_to_none=True)


def _advantages(rewards: torch.Tensor, algorithm: Algorithm) -> torch.Tensor:
    """rewards: [problems, group]."""
    mean = rewards.mean(dim=1, keepdim=True)
    if algorithm == "grpo":
        return (rewards - mean) / (rewards.std(dim=1, keepdim=True) + 1e-4)
    return (rewards - mean) * GROUP / (GROUP - 1)


def _chunks(rollouts: list[Rollout]) -> list[list[int]]:
    """Places of the rollouts, those of one length together."""
    order = sorted(range(len(rollouts)), key=lambda i: len(rollouts[i].ids))
    return [order[i : i + CHUNK] for i in range(0, len(order), CHUNK)]


def _log_probabilities(model: PreTrainedModel, rollouts: list[Rollout], places: list[int]) -> torch.Tensor:
    """Of each response token, [rows, longest]; 0 for prompt and padding, which stands right of everything."""
    longest = max(len(rollouts[i].ids) for i in places)
    ids = torch.zeros(len(places), longest, dtype=torch.long)
    counted = torch.zeros(len(places), longest)
    for row, place in enumerate(places):
        rollout = rollouts[place]
        ids[row, : len(rollout.ids)] = torch.tensor(rollout.ids)
        counted[row, rollout.prompt : len(rollout.ids)] = 1.0
    above = torch.full((longest - 1, longest - 1), float("-inf")).triu(1)
    logits = model(input_ids=ids[:, :-1], attention_mask=above[None, None]).logits
    logp = torch.log_softmax(logits, dim=-1).gather(-1, ids[:, 1:, None]).squeeze(-1)
    return logp * counted[:, 1:]
