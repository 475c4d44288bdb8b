"""Examples of a STUDY.toml, as `basebound init` writes them: every key that matters, with a comment where it is not plain.

plain   a base model and its RL-trained sibling on one benchmark
paper   the protocol of Yue et al. 2025 (arXiv 2504.13837): decoding, samples per benchmark, direct answers beside
demo    the bundled tiny models, which any machine can sample
"""

from __future__ import annotations

import json
import shlex
from typing import Final

import sample_data
from sample_data import BASE, GRPO, MAX_TOKENS, PROBLEMS, PROMPT, TinyModel

_HEAD: Final = """\
# @TITLE@
#
#   basebound run @FILE@ --dry-run    what would be drawn: prompts, token ids, estimates, what is there already
#   basebound run @FILE@              draw it. Stopped at any moment, the same line goes on where it was
#
# A larger n adds what is missing; any other change of a prompt or of [sampling] makes new runs beside the old ones.
# Paths are relative to this file; the study is made where it does not exist.

study = @STUDY@
"""

_PLAIN: Final = (
    _HEAD
    + r"""
[[model]]
name = "my-base-7b"
path = "models/my-base-7b"           # a folder as transformers saves one
role = "base"                        # base, sft, rl, distilled, instruct or other

[[model]]
name = "my-rl-7b"
path = "models/my-rl-7b"
# hub = "organisation/name"          # instead of path: fetched from the Hugging Face hub,
# revision = "main"                  # at this branch, tag or commit
role = "rl"
parent = "my-base-7b"                # what it was trained from
algorithm = "GRPO"
training_seed = 1
# adapter = "runs/my-lora"           # a LoRA adapter; path is then the model that it was trained on
# step = 100                         # of this checkpoint; or several at once:
# steps = [50, 100]                  # with path = "runs/step-{step}"

[[benchmark]]
name = "AIME24"
file = "aime24.jsonl"                # problems: JSONL with key, statement, reference; `basebound formats` has others
# hub = "organisation/data-set"      # instead of file; file then names one of its files
# verifier = "math"                  # else what suits the problems; see `basebound verifiers`

[[prompt]]
name = "boxed"                       # single quotes keep a backslash as it stands
template = '''
{problem}

Please reason step by step, and put your final answer within \boxed{}.
'''
chat = false                         # true: the template is a user's message, in the chat template of the tokenizer
# system = "..."                     # and this its system message

[sampling]
n = 64                               # samples of each problem
temperature = 0.6                    # or several, each a run of its own: [0.6, 1.0]
top_p = 0.95
top_k = 0                            # 0: no limit
max_tokens = 16384                   # of a response
# context_cap = 20480                # prompt and response; else as many positions as the model has
stop = []                            # strings that end a response; its text is cut before them
seed = 0                             # another seed is another run

[engine]
sampler = "vllm"                     # vllm, transformers, server; see `basebound samplers`
# tensor_parallel = 2                # GPUs that one model is laid over; one engine starts for each group that is visible
# memory = 0.85                      # of each GPU's memory, the share that vLLM may take
# engines = 4                        # at once, at most
# dtype = "bfloat16"                 # else the model's own
# url = "http://localhost:8000/v1"   # of a server that is asked; its key is read from the environment. A model whose weights
#                                    # are not here needs a revision, or a step: what tells them from others

[analyses]                           # what is made of the samples
verify = true                        # judge them
score = false                        # how probable each response is under both models
# tokens = "set:base-only correct:yes" # with score = true: of these token by token, too; "" for all
paths = false                        # cluster the correct responses of each problem
index = false                        # make search instant
"""
)

_PAPER: Final = (
    _HEAD
    + r"""
[[model]]
name = "Qwen2.5-7B"
hub = "Qwen/Qwen2.5-7B"              # or path = "models/Qwen2.5-7B": a folder, where there is no network
role = "base"

[[model]]
name = "Qwen2.5-7B-SimpleRL-Zoo"
path = "models/Qwen-2.5-7B-SimpleRL-Zoo"
role = "rl"
parent = "Qwen2.5-7B"
algorithm = "GRPO"

[[benchmark]]
name = "AIME24"
file = "aime24.jsonl"                # 30 problems: JSONL with key, statement, reference
n = 1024
prompt = ["boxed", "direct"]

[[benchmark]]
name = "AMC23"
file = "amc23.jsonl"                 # 40
n = 1024
prompt = "boxed"

[[benchmark]]
name = "MATH500"
file = "math500.jsonl"               # 500
n = 128
prompt = "boxed"

[[benchmark]]
name = "Minerva"
file = "minerva.jsonl"               # 272
n = 128
prompt = "boxed"

[[benchmark]]
name = "GSM8K"
file = "gsm8k.jsonl"                 # 1319
n = 128
prompt = "boxed"

[[prompt]]
name = "boxed"                       # zero-shot, and the same for base and RL
template = '''
{problem}

Please reason step by step, and put your final answer within \boxed{}.
'''

[[prompt]]                           # without a chain of thought: what it solves now and then, but rarely, can be guessed, and
name = "direct"                      # `basebound guess STUDY --direct RUN` can leave it out
template = '''
{problem}

Give the final answer alone, within \boxed{}, without any reasoning.
'''
n = 1024
max_tokens = 64                      # no room to reason all the same

[sampling]
temperature = 0.6
top_p = 0.95
max_tokens = 16384                   # the models need that many positions beside the prompt: --dry-run says what is in force
seed = 0

[engine]
sampler = "vllm"                     # vllm, transformers, server; see `basebound samplers`

[analyses]
verify = true
score = true                         # how probable each response is under both models: the paper's perplexities
tokens = "correct:yes (set:base-only or set:other-only)" # token by token, where only one of the two is right
"""
)

_DEMO: Final = (
    _HEAD
    + """
[[model]]
name = "@BASE@"
path = @BASE_PATH@
role = "base"
training_seed = 1

[[model]]                            # three checkpoints of one training run
name = "@RL@"
path = @RL_PATH@
steps = @STEPS@
role = "rl"
parent = "@BASE@"
algorithm = "GRPO"
training_seed = 21

[[benchmark]]
name = "tiny-sums"
file = @PROBLEMS@

[[prompt]]
name = "training"                    # as the models were trained
template = @PROMPT@

[sampling]
n = 8
temperature = 0.6
top_p = 0.95
max_tokens = @MAX_TOKENS@

[engine]
sampler = "transformers"

[analyses]
verify = true
score = false
# tokens = "set:base-only correct:yes" # with score = true: of these token by token, too
paths = false
"""
)

_TITLES: Final = {
    "plain": "A base model and what reinforcement learning made of it, on one benchmark.",
    "paper": "The protocol of Yue et al. 2025 (arXiv 2504.13837), for mathematics.",
    "demo": "Basebound's tiny bundled models, on problems that were held out from them.",
}
_BODIES: Final = {"plain": _PLAIN, "paper": _PAPER, "demo": _DEMO}
TEMPLATES: Final = tuple(_TITLES)


def template(name: str, file: str) -> str:
    """The text of a file of this name. The demo's paths are those of the installed package."""
    filled = {
        "TITLE": _TITLES[name],
        "FILE": shlex.quote(file) if file.isprintable() else "STUDY.toml",
        "STUDY": _quoted(f"{file.removesuffix('.toml')}.db"),
        "BASE": BASE.name,
        "BASE_PATH": _quoted(str(BASE.path)),
        "RL": GRPO[0].name,
        "RL_PATH": _quoted(_with_step(GRPO[0])),
        "STEPS": str([model.step for model in GRPO]),
        "PROBLEMS": _quoted(str(PROBLEMS)),
        "PROMPT": _quoted(PROMPT),
        "MAX_TOKENS": str(MAX_TOKENS),
    }
    text = _BODIES[name]
    for place, value in filled.items():
        text = text.replace(f"@{place}@", value)
    return text


def _with_step(model: TinyModel) -> str:
    """The path of all checkpoints that lie beside this one."""
    assert model.path.parent == sample_data.HERE / "models"
    return str(model.path.with_name(model.folder.replace(str(model.step), "{step}")))


def _quoted(text: str) -> str:
    """As TOML has a text between double quotes: as JSON has it."""
    return json.dumps(text, ensure_ascii=False)
