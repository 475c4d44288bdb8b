"""Our scorer against what a user would write: transformers over one response at a time, and over padded batches of 32.

    python benchmarks/scoring.py [RESPONSES]                     of the bundled study, 2000 unless said, under its base model
    python benchmarks/scoring.py --device cuda --config 7b       0.5b or 7b, random weights: tokens/s, share of the card's rate
    python benchmarks/scoring.py --device cpu --config tiny      a toy of the same make: whether that way works

Mixed lengths, in the study's order; each way in a process of its own, one after another, three times, after 64 responses that
are not timed. All but the last sum log-probabilities at temperature 1 of the same responses and agree; the last has the study's
other decoding, entropies, edges of the nucleus and other tokens too. Processor seconds stand beside the wall's: of all threads,
so that they mean something on a machine that others use. Tokens are those of prompts and responses.
With --config, sequences of one length, 2k to 16k tokens, prompts of 128; the rate is that of a product of two square matrices
of 8192 in bfloat16 on the same device, and a token costs two operations a weight and attention over half the length.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).parents[1]))

if TYPE_CHECKING:
    from engine.likelihood.base import Response

WAYS = ("loop", "padded", "ours", "ours, everything")
PADDED = 32
WARM = 64
DTYPE = "float32"
_IDS = """SELECT sample_id, prompt.ids, token.ids FROM sample
          JOIN token USING (sample_id) JOIN prompt USING (run_id, problem_id)
          ORDER BY sample_id % 97, sample_id LIMIT ?"""


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description="the scorer over transformers, timed")
    parser.add_argument("responses", nargs="?", type=int, default=2000)
    parser.add_argument("--config", choices=["0.5b", "7b", "tiny"])
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--way", choices=WAYS, help=argparse.SUPPRESS)
    asked = parser.parse_args(arguments)
    if asked.config:
        return by_length(asked.config, asked.device)
    if asked.way:
        one(asked.responses, asked.way)
        return 0
    print(f"{asked.responses:,} responses of the bundled study under its base model, {DTYPE}")
    for _ in range(3):
        for way in WAYS:
            subprocess.run([sys.executable, __file__, str(asked.responses), "--way", way], check=True)
    return 0


def one(count: int, way: str) -> None:
    import torch

    asked = responses(count)
    score = {"loop": loop, "padded": padded, "ours": ours}.get(way, everything)()
    score(asked[:WARM])
    wall, processor = time.perf_counter(), time.process_time()
    total = score(asked)
    wall, processor = time.perf_counter() - wall, time.process_time() - processor
    tokens = sum(len(response.prompt) + len(response.ids) for response in asked)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    speed = f"{tokens / wall:8,.0f} tokens/s   {wall:6.2f} s   {processor:6.2f} processor s"
    print(f"  {way:<17} {speed}   {peak:5.0f} MiB   {torch.get_num_threads()} threads   sum {total:.1f}", flush=True)


def responses(count: int) -> list[Response]:
    from engine.likelihood.base import Response
    from sample_data import STUDY
    from store.migrations import migrate
    from store.reader import Study
    from store.texts import unpack_file
    from store.tokens import unpack_ids

    with TemporaryDirectory() as folder:
        path = Path(folder) / "study.db"
        path.write_bytes(unpack_file(STUDY.read_bytes()))
        migrate(path)  # where the bundled one is older
        with Study(path) as study:
            rows = study.query(_IDS, (count,))
    return [Response(sample_id, unpack_ids(prompt), unpack_ids(ids)) for sample_id, prompt, ids in rows]


def plain_model() -> Any:
    import torch
    from transformers import AutoModelForCausalLM

    from sample_data import BASE

    return AutoModelForCausalLM.from_pretrained(BASE.path, dtype=getattr(torch, DTYPE))


def loop() -> Any:
    import torch

    model = plain_model()

    @torch.inference_mode()
    def score(asked: Sequence[Response]) -> float:
        total = 0.0
        for response in asked:
            ids = torch.tensor([[*response.prompt, *response.ids]])
            logp = torch.log_softmax(model(ids).logits[0, :-1], dim=-1).gather(-1, ids[0, 1:, None])[:, 0]
            total += float(logp[len(response.prompt) - 1 :].double().sum())
        return total

    return score


def padded() -> Any:
    import torch

    model = plain_model()

    @torch.inference_mode()
    def score(asked: Sequence[Response]) -> float:
        total = 0.0
        for start in range(0, len(asked), PADDED):
            batch = [[*response.prompt, *response.ids] for response in asked[start : start + PADDED]]
            longest = max(map(len, batch))
            ids = torch.tensor([row + [0] * (longest - len(row)) for row in batch])
            mask = torch.tensor([[1] * len(row) + [0] * (longest - len(row)) for row in batch])
            logp = torch.log_softmax(model(ids, attention_mask=mask).logits[:, :-1], dim=-1)
            logp = logp.gather(-1, ids[:, 1:, None])[..., 0].double()
            for row, response in enumerate(asked[start : start + PADDED]):
                total += float(logp[row, len(response.prompt) - 1 : len(batch[row]) - 1].sum())
        return total

    return score


def ours() -> Any:
    from engine.decoding import PLAIN
    from engine.likelihood.transformers import TransformersScorer
    from engine.samplers.base import Opening
    from sample_data import BASE

    scorer = TransformersScorer(Opening(BASE.path, dtype=DTYPE, device="cpu"))
    return lambda asked: sum(float(found.logp[0].sum()) for found in scorer.score(asked, [PLAIN]))


def everything() -> Any:
    from dataclasses import replace

    from engine.decoding import PLAIN, Decoding
    from engine.likelihood.transformers import TransformersScorer
    from engine.samplers.base import Opening
    from sample_data import BASE

    scorer, decodings = TransformersScorer(Opening(BASE.path, dtype=DTYPE, device="cpu")), [PLAIN, Decoding(0.6, 0.95)]

    def score(asked: Sequence[Response]) -> float:
        detailed = (replace(response, detailed=True) for response in asked)
        return sum(float(found.logp[0].sum()) for found in scorer.score(detailed, decodings))

    return score


def by_length(config: str, device: str) -> int:
    """Tokens per second by length of the sequences, and their share of the rate at which the device multiplies."""
    import torch

    from benchmarks.gpu_sampling import SHAPES, save
    from engine.decoding import PLAIN, Decoding
    from engine.likelihood.base import Response
    from engine.likelihood.transformers import TransformersScorer
    from engine.samplers.base import Opening

    if config != "tiny" and not (device.startswith("cuda") and torch.cuda.is_available()):
        print("no GPU is at hand, and on a CPU these models take hours; --config tiny tries the file out", file=sys.stderr)
        return 2
    shape = SHAPES[config.upper().replace("TINY", "tiny")]
    lengths = (64, 256) if config == "tiny" else (2048, 4096, 8192, 16_384)
    rate = product_rate(device, 512 if config == "tiny" else 8192)
    where = "CPU" if device == "cpu" else torch.cuda.get_device_name()
    print(f"{config} on {where}, bfloat16, product {rate / 1e12:,.1f} TFLOP/s")
    with TemporaryDirectory() as folder:
        save(shape, Path(folder))
        scorer = TransformersScorer(Opening(Path(folder), dtype="bfloat16", device=device))
    layer = shape.hidden * (2 * shape.hidden + 2 * shape.hidden * shape.kv_heads // shape.heads + 3 * shape.inner)
    weights = shape.layers * layer + shape.vocabulary * shape.hidden
    for length in lengths:
        count = max(1, 16 * lengths[-1] // length)
        prompt = min(128, length // 4)
        asked = [
            Response(number, range(5, 5 + prompt), [5 + (7 * number + place) % 400 for place in range(length - prompt)])
            for number in range(count)
        ]
        for what, decodings, detailed in (("T 1", [PLAIN], False), ("everything", [PLAIN, Decoding(0.6, 0.95)], True)):
            batch = [Response(r.sample_id, r.prompt, r.ids, detailed) for r in asked]
            sum(1 for _ in scorer.score(batch[: max(1, count // 8)], decodings))
            began = time.perf_counter()
            sum(1 for _ in scorer.score(batch, decodings))
            speed = count * length / (time.perf_counter() - began)
            work = 2 * weights + 2 * length * shape.hidden * shape.layers
            memory = f"{torch.cuda.max_memory_reserved() / 2**30:5.1f} GiB" if device != "cpu" else ""
            print(
                f"  {length:>6} tokens   {what:<10} {speed:10,.0f} tokens/s   {speed * work / rate:6.1%}   {memory}", flush=True
            )
    return 0


def product_rate(device: str, size: int) -> float:
    """Operations per second of a product of two square matrices in bfloat16, the best of ten."""
    import torch

    left, right = (torch.randn(size, size, device=device, dtype=torch.bfloat16) for _ in range(2))
    best = float("inf")
    for _ in range(12):
        if device != "cpu":
            torch.cuda.synchronize()
        began = time.perf_counter()
        left @ right
        if device != "cpu":
            torch.cuda.synchronize()
        best = min(best, time.perf_counter() - began)
    return 2 * size**3 / best


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
