"""An engine of vLLM in this process, opened for one model; where it cannot be opened, a sentence says what to change.

Nothing of vLLM's own choosing shapes a draw: the model's generation_config.json is not read, the seed of the engine is 0 and
never used, log-probabilities are those of the decoding. Weights come from safetensors, code never from the model's folder.

The engine's core works in this process too: on one GPU or a CPU a killed process leaves none of its own behind. With several
GPUs each has a worker process; one that has started up notices within half a minute that this one is gone.
"""

from __future__ import annotations

import gc
import json
import logging
import os
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, packages_distributions, version
from pathlib import Path
from typing import Any, Final

from engine.checkpoints import require_adapter
from engine.samplers.base import Opening, SamplerError

SURROUNDINGS: Final = {
    "VLLM_ENABLE_V1_MULTIPROCESSING": "0",
    "VLLM_LOGGING_STREAM": "ext://sys.stderr",
    "VLLM_LOGGING_LEVEL": "ERROR",
    "VLLM_NO_USAGE_STATS": "1",
    "OMP_NUM_THREADS": "1",
}
"""What vLLM and the libraries beneath it read from the environment as they are loaded; what the user has set there stays."""

for _name, _value in SURROUNDINGS.items():
    os.environ.setdefault(_name, _value)

try:
    import vllm
    from vllm import EngineArgs, LLMEngine, SamplingParams
    from vllm.lora.request import LoRARequest
    from vllm.platforms import current_platform
    from vllm.usage.usage_lib import UsageContext
except ModuleNotFoundError:
    raise
except (ImportError, OSError) as error:
    raise SamplerError(f"vLLM is installed but cannot be loaded: {str(error).splitlines()[0]}; install it anew") from error

# When an engine breaks down it would print all that it was working on.
logging.getLogger("vllm.logging_utils.dump_input").setLevel(logging.CRITICAL)

OLDEST: Final = (0, 20)
"""The first version whose engine and sampling parameters have what is asked of them here."""
NEWEST: Final = (0, 32)
"""The last one that this was tried with."""

CPU_CACHE: Final = 4 << 30
"""Bytes for keys and values on a CPU at most."""
CPU_CACHE_SHARE: Final = 0.25
"""Of the memory that is free, on a CPU."""
CPU_BATCH: Final = 256
"""Sequences decoded together on a CPU, where nobody says."""
CPU_BLOCK: Final = 32
"""Tokens of a block of keys and values on a CPU: short, so that the prompts that many requests share are read once."""
_MEMORY: Final = Path("/proc/meminfo")
SCORED_AT_ONCE: Final = 2048
"""Tokens read in one step where prompts are scored: with a vocabulary of 152k their logits take 1.2 GiB in float32, twice."""
SCORING_MEMORY: Final = 0.85
"""Of a GPU's memory, where nobody says."""
LORA_RANKS: Final = (8, 16, 32, 64, 128, 256, 320, 512)

_NO_ROOM: Final = (
    "lower context_cap or batch, spread the model over more GPUs (tensor_parallel), change the share of memory that vLLM may"
    " take (memory), or end what else uses it"
    " (on a CPU the environment's VLLM_CPU_KVCACHE_SPACE sets the gigabytes for keys and values)"
)
_ADVICE: Final = (
    (r"larger than the maximum model length|greater than the derived max_model_len", "give a smaller context_cap"),
    (r"cache is needed|out of memory|not enough memory|can't allocate|free memory|available memory", _NO_ROOM),
    (r"architectures? .*not supported|no model architectures|has no vllm implementation", "draw with the sampler transformers"),
    (r"head size|is not divisible|must be divisible", "draw with the sampler transformers, or with another tensor_parallel"),
    (r"dtype", "give another dtype"),
    (r"safetensor|not initialized from|shape|cannot find any model weights|no such file", "make the checkpoint anew"),
)
"""What vLLM says (a pattern, lower case), and what is to be done about it."""


@dataclass(slots=True)
class Engine:
    """One that is open, and what there is to say of it."""

    steps: LLMEngine
    version: str
    """As a sampler's facts have it."""
    device: str
    dtype: str
    context_cap: int
    batch: int
    """Sequences decoded together."""
    adapter: LoRARequest | None
    detail: str
    asked: int = 0

    def add(self, prompt: Sequence[int], parameters: SamplingParams) -> str:
        """Hand a request over; its name, which no other has had. Raises ValueError or vLLM's own error where it is refused."""
        self.asked += 1
        rendered: Any = {"type": "token", "prompt_token_ids": list(prompt)}  # as the engine's own renderer leaves a prompt
        self.steps.add_request(str(self.asked), rendered, parameters, lora_request=self.adapter)
        return str(self.asked)

    def close(self) -> None:
        """End its workers and give its memory back: the next model may need it. It is of no use after that."""
        _open.discard(id(self))
        _closed.append(self.steps)
        del self.steps
        if not _open:
            shut_down()


_open: Final[set[int]] = set()
_closed: Final[list[LLMEngine]] = []
"""Engines of one process share its process groups, and the first that is shut down takes them from the others: it waits."""


def shut_down() -> None:
    """End all that were closed."""
    import torch

    for steps in _closed:
        steps.engine_core.shutdown()
    _closed.clear()
    gc.collect()  # engine, core and runner know one another
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def open_engine(opening: Opening, config: Any, scoring: bool = False) -> Engine:
    """config: of the model. scoring: prompts are to be read, nothing drawn. Beside one that is open another may be opened.

    Raises SamplerError where the version is too old, or the model cannot be opened here.
    """
    import torch  # never before vllm, which settles what torch reads from the environment

    found = installed()
    _require_device(opening)
    arguments = engine_arguments(opening, config) | (scoring_arguments(opening) if scoring else {})
    adapter = None if opening.adapter is None else LoRARequest("adapter", 1, str(opening.adapter))
    with off_stdout(), told(f"vLLM {found} cannot open {opening.model}"):
        steps = LLMEngine.from_engine_args(EngineArgs(**arguments), usage_context=UsageContext.LLM_CLASS)
        if adapter is not None:
            steps.add_lora(adapter)
    model = steps.model_config
    engine = Engine(
        steps=steps,
        version=f"vllm {found}, torch {torch.__version__}",
        device=current_platform.get_device_name(0),
        dtype=str(model.dtype).removeprefix("torch."),
        context_cap=int(model.max_model_len),
        batch=int(steps.vllm_config.scheduler_config.max_num_seqs),
        adapter=adapter,
        detail=_detail(steps, opening),
    )
    _open.add(id(engine))
    return engine


def installed() -> str:
    """The version of vLLM. Raises SamplerError where it is older than what this was written for."""
    found = str(vllm.__version__)
    numbers = _numbers(found)
    if numbers is None:  # built from a checkout without tags
        found = _distributed() or found
        numbers = _numbers(found)
    if numbers is not None and numbers < OLDEST:
        raise SamplerError(f"vLLM {found} is too old: install one from {OLDEST[0]}.{OLDEST[1]} on")
    return found


def _distributed() -> str | None:
    """What the package that brings vLLM says: it need not be called vllm."""
    for name in packages_distributions().get("vllm", []):
        try:
            return version(name)
        except PackageNotFoundError:
            continue
    return None


def _numbers(text: str) -> tuple[int, int] | None:
    found = re.match(r"(\d+)\.(\d+)", text)
    numbers = (int(found[1]), int(found[2])) if found else None
    return None if numbers in (None, (0, 0)) or text.startswith("0.1.dev") else numbers


def _require_device(opening: Opening) -> None:
    kind, _, number = (opening.device or "").partition(":")
    if number:
        raise SamplerError(f"vLLM takes the first GPU that it sees, not {opening.device}: set CUDA_VISIBLE_DEVICES={number}")
    here = current_platform.device_type
    if kind and kind != here:
        raise SamplerError(f"this vLLM is built for {here}, not for {kind}; leave the device out, or install the one that fits")


def engine_arguments(opening: Opening, config: Any) -> dict[str, Any]:
    """What vLLM is told of an opening and a model's configuration."""
    limits = [limit for limit in (getattr(config, "max_position_embeddings", None), opening.context_cap) if limit is not None]
    wanted: dict[str, Any] = {
        "model": str(opening.model),
        "load_format": "safetensors",
        "dtype": opening.dtype or "auto",
        "max_model_len": min(limits, default=None),
        "max_num_seqs": opening.batch,
        "tensor_parallel_size": opening.gpus,
        "generation_config": "vllm",
        "logprobs_mode": "processed_logprobs",
        "seed": 0,
        "disable_log_stats": True,
        "use_tqdm_on_load": False,
    }
    if opening.memory is not None:
        wanted["gpu_memory_utilization"] = opening.memory
    if current_platform.is_cpu():
        wanted |= {
            "dtype": opening.dtype or "float32",
            "max_num_seqs": opening.batch or CPU_BATCH,
            "enforce_eager": True,
            "block_size": CPU_BLOCK,
            "enable_chunked_prefill": False,  # there, a prompt with a seed that is read in parts breaks the engine down
            "kv_cache_memory_bytes": _cpu_cache(opening, config, min(limits, default=None)),
        }
    if opening.adapter is not None:
        wanted |= {"enable_lora": True, "max_loras": 1, "max_lora_rank": _rank(opening.adapter)}
    return wanted


def scoring_arguments(opening: Opening) -> dict[str, Any]:
    """What is otherwise where prompts are scored: vLLM holds the logits of all tokens that it reads at once.

    Those are few therefore, and memory is left to them, of which vLLM's own reckoning knows nothing. What it tells are the
    model's own log-probabilities, whatever a request says of how to draw.
    """
    wanted: dict[str, Any] = {
        "logprobs_mode": "raw_logprobs",
        "enable_prefix_caching": False,  # what is not read anew is not scored
        "enable_chunked_prefill": True,
        "max_num_batched_tokens": max(SCORED_AT_ONCE, opening.batch or 0),
    }
    if opening.memory is None and not current_platform.is_cpu():
        wanted["gpu_memory_utilization"] = SCORING_MEMORY
    if opening.adapter is not None:
        wanted["max_num_seqs"] = 1  # it reckons with a row of logits for each sequence, as in drawing; with one alone, all fits
    return wanted


def _cpu_cache(opening: Opening, config: Any, cap: int | None) -> int:
    """Bytes for keys and values: what can be used, within what memory allows. The engine takes them at once."""
    told = re.search(r"MemAvailable:\s+(\d+) kB", _MEMORY.read_text(encoding="ascii")) if _MEMORY.exists() else None
    allowed = CPU_CACHE if told is None else min(CPU_CACHE, int(int(told[1]) * 1024 * CPU_CACHE_SHARE))
    try:
        width = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
        heads = getattr(config, "num_key_value_heads", None) or config.num_attention_heads
        of_a_block = CPU_BLOCK * 2 * 4 * int(config.num_hidden_layers) * int(heads) * int(width)
    except AttributeError:
        return allowed  # of another kind of model
    if cap is None:
        return allowed
    return min(allowed, of_a_block * ((opening.batch or CPU_BATCH) * (-(-cap // CPU_BLOCK) + 1) + 1))


def _rank(adapter: Path) -> int:
    """The smallest rank that vLLM makes room for and the adapter fits into."""
    require_adapter(adapter)
    rank = int(json.loads((adapter / "adapter_config.json").read_text(encoding="utf-8")).get("r", 8))
    fitting = [room for room in LORA_RANKS if room >= rank]
    if not fitting:
        raise SamplerError(f"the adapter {adapter} has rank {rank}, vLLM takes {LORA_RANKS[-1]}; merge it into its model")
    return fitting[0]


def _detail(steps: LLMEngine, opening: Opening) -> str:
    """What may move a draw by rounding."""
    config = steps.vllm_config
    runner = getattr(config, "use_v2_model_runner", None)
    said = [
        f"tensor parallel {config.parallel_config.tensor_parallel_size}",
        "runner unknown" if runner is None else f"runner V{2 if runner else 1}",
        "batch invariant" if os.environ.get("VLLM_BATCH_INVARIANT", "0") not in ("", "0") else "not batch invariant",
        "eager" if config.model_config.enforce_eager else "compiled",
    ]
    if opening.adapter is not None:
        said.append("adapter beside the weights")
    found = _numbers(installed())
    if found is None or found > NEWEST:
        said.append(f"newer than {NEWEST[0]}.{NEWEST[1]}, the last one tried")
    return ", ".join(said)


@contextmanager
def told(what: str) -> Iterator[None]:
    """Whatever vLLM raises, as one sentence: it has had several errors for each thing."""
    try:
        yield
    except Exception as error:
        raise SamplerError(f"{what}: {_reason(error)}") from error


def _reason(error: BaseException) -> str:
    """What vLLM says in a line, and what to do about it."""
    said = _first_line(error)
    known = " ".join(f"{type(one).__name__} {one}" for one in _chain(error)).lower()
    advice = next((advice for pattern, advice in _ADVICE if re.search(pattern, known)), None)
    return said if advice is None else f"{said.rstrip('.')}; {advice}"


def _first_line(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()] or [type(error).__name__]
    if len(lines) > 1 and re.match(r"\d+ validation errors? for ", lines[0]):
        lines = [line for line in lines[1:] if " " in line] or lines  # of pydantic: the field's name, then the sentence
    return re.sub(r"^Value error, | \[type=.*$", "", lines[0])


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


@contextmanager
def off_stdout() -> Iterator[None]:
    """What is printed meanwhile, by libraries and by processes that are started, goes to stderr: stdout is data."""
    sys.stdout.flush()
    kept = os.dup(1)
    try:
        os.dup2(2, 1)
        yield
    finally:
        sys.stdout.flush()
        os.dup2(kept, 1)
        os.close(kept)
