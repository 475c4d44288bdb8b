"""STUDY.toml: what is right is read whole, what is wrong is told with the line it stands on, all of it at once."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.declaration import DeclarationError, plans, read
from engine.declaration.lines import Place, line_of, lines_of
from engine.declaration.planned import folders_of
from engine.declaration.reading import DTYPES
from engine.declaration.templates import TEMPLATES, template
from engine.prompts import Template
from engine.samplers.base import Facts, SamplerError
from engine.sampling import Shard, content_revision, run_of
from sample_data import BASE, GRPO
from store.types import Role
from tests.test_house import imported_after

WHOLE = """\
study = "sums.db"

[[model]]
name = "base"
path = "models/base"
role = "base"

[[model]]
name = "rl"
path = "models/step-{step}"
steps = [50, 100]
role = "rl"
parent = "base"
algorithm = "GRPO"
training_seed = 7

[[benchmark]]
name = "sums"
file = "sums.jsonl"
n = 4
prompt = ["boxed", "direct"]

[[benchmark]]
name = "more"
file = "sums.jsonl"
verifier = "own.py:judge"
prompt = "boxed"

[[prompt]]
name = "boxed"
template = '''
{problem}
Put the answer in \\boxed{}.
'''

[[prompt]]
name = "direct"
template = "{problem}"
chat = true
system = "Answer at once."
n = 16
max_tokens = 8
stop = "."

[sampling]
n = 2
temperature = [0.6, 1]
top_p = 0.9
top_k = 20
max_tokens = 100
context_cap = 200
stop = ["END", "\\n\\n"]
seed = 3

[engine]
sampler = "transformers"
tensor_parallel = 2
engines = 3
dtype = "float32"
device = "cpu"
batch = 5

[analyses]
verify = false
score = true
paths = true
index = true
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """With everything in it that WHOLE names."""
    for name in ("base", "step-50", "step-100"):
        model = tmp_path / "models" / name
        model.mkdir(parents=True)
        (model / "config.json").write_text("{}")
        (model / "model.safetensors").write_text(name)
    lora = tmp_path / "lora"
    lora.mkdir()
    (lora / "adapter_config.json").write_text("{}")
    (lora / "adapter_model.safetensors").write_text("lora")
    (tmp_path / "own.py").write_text("")
    lines = [json.dumps({"key": key, "statement": f"{key} + 1?", "reference": "4"}) for key in "123"]
    (tmp_path / "sums.jsonl").write_text("\n".join(lines))
    return tmp_path


def write(folder: Path, text: str) -> Path:
    path = folder / "study.toml"
    path.write_text(text)
    return path


def told(folder: Path, text: str) -> list[str]:
    """Each mistake of a file, without the file's name."""
    path = write(folder, text)
    with pytest.raises(DeclarationError) as raised:
        read(path)
    lines = str(raised.value).split("\n")
    assert all(line.startswith(str(path)) for line in lines)
    return [line.removeprefix(str(path)).lstrip(", ") for line in lines]


def changed(old: str, new: str) -> str:
    assert old in WHOLE
    return WHOLE.replace(old, new, 1)


def line(words: str, text: str = WHOLE) -> int:
    return text[: text.index(words)].count("\n") + 1


# What is right


def test_a_whole_file_is_read_whole(folder: Path) -> None:
    found = read(write(folder, WHOLE))
    assert found.study == folder / "sums.db"
    assert [model.label for model in found.models] == ["base", "rl step 50 seed 7", "rl step 100 seed 7"]
    base, rl, _ = found.models
    assert (base.path, base.role, base.parent, base.line) == (folder / "models/base", Role.BASE, None, 3)
    assert (rl.path, rl.parent, rl.algorithm, rl.step) == (folder / "models/step-50", "base", "GRPO", 50)
    sums, more = found.benchmarks
    assert (sums.file, sums.n, sums.prompts, sums.verifier) == (folder / "sums.jsonl", 4, ("boxed", "direct"), None)
    assert (more.n, more.verifier, more.prompts) == (None, f"{folder / 'own.py'}:judge", ("boxed",))
    boxed, direct = found.prompts
    assert boxed.template == Template("{problem}\nPut the answer in \\boxed{}.\n")
    assert direct.template == Template("{problem}", True, "Answer at once.")
    assert (found.n_of(sums, boxed), found.n_of(sums, direct), found.n_of(more, boxed)) == (4, 16, 2)
    sampling = found.sampling
    assert (sampling.temperatures, sampling.top_p, sampling.top_k) == ((0.6, 1.0), 0.9, 20)
    assert (sampling.max_tokens, sampling.context_cap, sampling.stop, sampling.seed) == (100, 200, ("END", "\n\n"), 3)
    engine = found.engine
    assert (engine.sampler, engine.tensor_parallel, engine.engines) == ("transformers", 2, 3)
    assert (engine.dtype, engine.device, engine.batch) == ("float32", "cpu", 5)
    assert (found.analyses.verify, found.analyses.score, found.analyses.paths, found.analyses.index) == (
        False,
        True,
        True,
        True,
    )


SHORT = """\
study = "s.db"
model = [{name = "m", path = "models/base"}]
[[benchmark]]
name = "sums"
file = "sums.jsonl"
[[prompt]]
name = "only"
template = "{problem}"
[sampling]
n = 1
"""


def test_a_short_file_takes_the_rest_for_granted(folder: Path) -> None:
    found = read(write(folder, SHORT))
    assert found.benchmarks[0].prompts == ("only",)
    assert (found.sampling.temperatures, found.sampling.top_p, found.sampling.max_tokens) == ((0.6,), 0.95, 16_384)
    assert (found.engine.sampler, found.engine.tensor_parallel, found.engine.engines) == ("transformers", 1, None)
    assert (found.analyses.verify, found.analyses.score) == (True, False)
    assert found.models[0].role is Role.OTHER


def test_several_bases_and_checkpoints_of_several_seeds_are_fine(folder: Path) -> None:
    more = (
        '[[model]]\nname = "rl"\npath = "models/base"\nstep = 50\ntraining_seed = 8\n[[model]]\nname="b2"\npath="models/base"\n'
    )
    assert len(read(write(folder, WHOLE + more + 'role = "base"')).models) == 5


def test_windows_files_are_read_and_their_lines_counted(folder: Path) -> None:
    path = folder / "study.toml"
    path.write_bytes(b"\xef\xbb\xbf" + WHOLE.replace("\n", "\r\n").encode())
    assert read(path).prompts[0].template.text == "{problem}\nPut the answer in \\boxed{}.\n"
    path.write_bytes(WHOLE.replace("top_k = 20", "top_k = -1").replace("\n", "\r\n").encode())
    with pytest.raises(DeclarationError, match=f"line {line('top_k')}: top_k is -1"):
        read(path)


def test_reading_imports_nothing_heavy() -> None:
    heavy = {"numpy", "torch", "transformers", "vllm", "ray", "huggingface_hub", "sqlite_utils"}
    assert imported_after("import engine.declaration, engine.declaration.templates, explorer.commands.init").isdisjoint(heavy)


def test_the_dtypes_are_those_of_the_engine() -> None:
    from engine.models import DTYPES as KNOWN

    assert set(DTYPES) == set(KNOWN)


# What is wrong

MISTAKES = [
    ("temperature = [0.6, 1]", "temperature = 'hot'", "temperature is 'hot'; give a number above 0, or a list of such"),
    ("temperature = [0.6, 1]", "temperature = 0", "temperature is 0; give a number above 0"),
    ("temperature = [0.6, 1]", "temperature = nan", "temperature is nan; give a number above 0"),
    ("temperature = [0.6, 1]", "temperature = inf", "temperature is inf"),
    ("temperature = [0.6, 1]", "temperature = true", "temperature is true"),
    ("temperature = [0.6, 1]", "temperature = []", "temperature is an empty list"),
    ("temperature = [0.6, 1]", "temperature = [1, 1.0]", "temperature has 1.0 twice"),
    ("temperature = [0.6, 1]", "temperature = [1, -1]", "temperature has -1 in it; give a number above 0"),
    ("top_p = 0.9", "top_p = 1.1", "top_p is 1.1; give a number above 0, 1 at most"),
    ("top_p = 0.9", "top_p = 0", "top_p is 0;"),
    ("top_k = 20", "top_k = 1.5", "top_k is 1.5; give a whole number from 0 up"),
    ("seed = 3", "seed = 9223372036854775808", "seed is 9223372036854775808; give a whole number"),
    ("n = 4", "n = 0", "n is 0; give a whole number from 1 up"),
    ("n = 4", "n = true", "n is true; give a whole number"),
    ("n = 16", "n = 0", "n is 0; give a whole number from 1 up"),
    ("[sampling]\nn = 2", "[sampling]\nn = -1", "n is -1; give a whole number from 1 up"),
    ("max_tokens = 100", 'max_tokens = "100"', "max_tokens is '100'; give a whole number"),
    ('stop = ["END"', 'stop = [3, "END"', "stop has 3 in it; give a text between quotes"),
    ("seed = 3", "sed = 3", "[sampling] has a key 'sed' that is not known; did you mean seed?"),
    ("seed = 3", "warmth = 3", "'warmth' that is not known; known: n, temperature"),
    ("[sampling]", "[samplings]", "there is no table 'samplings'; did you mean sampling?"),
    ('study = "sums.db"', 'study = "sums.db"\nname = "x"', "there is no key 'name'"),
    ('study = "sums.db"', 'study = "none/sums.db"', "none is not there; make it"),
    ('study = "sums.db"', 'study = "models"', "is a folder; name a file in it"),
    ('study = "sums.db"', "study = 1", "study is 1; give a text between quotes"),
    ('role = "base"', 'role = "king"', "no role is called 'king'; known: base, sft, rl"),
    ('role = "rl"', 'role = "rll"', "did you mean rl?"),
    ('parent = "base"', 'parent = "basis"', "the parent 'basis' is no model of this file; did you mean base?"),
    ('parent = "base"', 'parent = "rl"', "descends from itself"),
    ('path = "models/base"', 'path = "models/bass"', "models/bass is not there"),
    ('path = "models/base"', 'path = "models"', "models/base, "),
    ('path = "models/base"', 'path = "~nobody-of-this-name/x"', "the home of nobody here"),
    ('role = "base"', 'hub = "lab/base"', "has both path and hub"),
    ('role = "base"', 'revision = "main"', "revision is for a hub name"),
    ('role = "base"', 'adapter = "models/base"', "is no adapter"),
    ('role = "base"', 'url = "http://x"', "url is for the sampler server, and this one is transformers"),
    ("steps = [50, 100]", "steps = [50, 50]", "steps has 50 twice"),
    ("steps = [50, 100]", "steps = [50, 100]\nstep = 3", "has both step and steps"),
    ('path = "models/step-{step}"\nsteps', 'path = "models/base"\nsteps', "has steps but no {step} to put them in"),
    ('name = "more"', 'name = "sums"', "there is a benchmark 'sums' already, on line 17; give it a name of its own"),
    ('name = "direct"', 'name = "boxed"', "there is a prompt 'boxed' already, on line "),
    ('file = "sums.jsonl"', 'file = "none.jsonl"', "none.jsonl is not there; check the path"),
    ('file = "sums.jsonl"', 'file = "models"', "is a folder; name the file"),
    ('file = "sums.jsonl"', 'file = "sums.jsonl"\nrevision = "v2"', "revision is for a hub name"),
    (
        'verifier = "own.py:judge"',
        'verifier = "maths"',
        "no verifier is called 'maths'; did you mean math?, or path.py:function",
    ),
    ('verifier = "own.py:judge"', 'verifier = "mine.py:judge"', "mine.py is not there"),
    ('prompt = ["boxed", "direct"]', 'prompt = ["boxd"]', "the prompt 'boxd' is not declared; did you mean boxed?"),
    ('template = "{problem}"', 'template = "{question}"', "the template has no {problem} in it"),
    ('template = "{problem}"', 'template = "{problem} \\boxed{}"', r"\b between double quotes, which TOML does not keep"),
    ("chat = true\nsystem", "chat = false\nsystem", "has a system message but is no chat"),
    ("chat = true", 'chat = "yes"', "chat is 'yes'; give true or false"),
    ('sampler = "transformers"', 'sampler = "vlm"', "no sampler is called 'vlm'; did you mean vllm?, or path.py:Class"),
    ('sampler = "transformers"', 'sampler = "mine.py:Mine"', "mine.py is not there; check the path"),
    ("tensor_parallel = 2", "tensor_parallel = 0", "tensor_parallel is 0; give a whole number from 1 up"),
    ("batch = 5", "memory = 0", "memory is 0; give a share above 0, at most 1"),
    ("batch = 5", "memory = 1.01", "memory is 1.01; give a share above 0, at most 1"),
    ("batch = 5", 'memory = "90%"', "memory is '90%'; give a share"),
    ("batch = 5", "memory = 0.9", "memory is for the sampler vllm, and this one is transformers; leave it out"),
    ('dtype = "float32"', 'dtype = "fp32"', "no dtype is called 'fp32'"),
    ("batch = 5", 'url = "http://localhost"', "url is for the sampler server"),
    ("score = true", "score = 1", "score is 1; give true or false"),
    ("[analyses]", "[[analyses]]", "write [analyses], with one bracket"),
]


@pytest.mark.parametrize(("old", "new", "words"), MISTAKES)
def test_a_mistake_is_told_with_its_line(folder: Path, old: str, new: str, words: str) -> None:
    text = changed(old, new)
    assert any(
        sentence.startswith(f"line {line(old) + new.count(chr(10))}: ") and words in sentence for sentence in told(folder, text)
    ), told(folder, text)


@pytest.mark.parametrize(
    ("old", "at", "words"),
    [
        ('study = "sums.db"\n', 1, 'the file has no study; add study = "study.db"'),
        ('name = "base"\n', 3, 'this model has no name; add name = "..."'),
        ('path = "models/base"\n', 3, "the model 'base' has neither path nor hub"),
        ("steps = [50, 100]\n", 8, "the model 'rl' has {step} in it but no steps"),
        ('file = "sums.jsonl"\n', 17, "the benchmark 'sums' has neither file nor hub"),
        ('prompt = "boxed"\n', 23, 'does not say which prompt; add prompt = ["boxed", "direct"]'),
        ('template = "{problem}"\n', 36, "the prompt 'direct' has no template"),
        ("n = 2\n", 23, "the benchmark 'more' has no n, and [sampling] has none for all"),
    ],
)
def test_what_is_missing_is_told_where_it_should_be(folder: Path, old: str, at: int, words: str) -> None:
    found = told(folder, changed(old, ""))
    assert any(sentence.startswith(f"line {at}: ") and words in sentence for sentence in found), found


@pytest.mark.parametrize("kind", ["model", "benchmark", "prompt"])
def test_a_file_needs_one_of_each(folder: Path, kind: str) -> None:
    parts = ("\n" + WHOLE).split("\n[")
    without = "\n[".join(part for part in parts if not part.startswith(f"[{kind}]"))
    assert f"line 1: the file declares no {kind}; add one with [[{kind}]]" in told(folder, without)
    once = "\n[".join(part for at, part in enumerate(parts) if not part.startswith(f"[{kind}]")) + f"\n[{kind}]\nname = 'x'"
    assert any(f"write [[{kind}]], with two brackets" in sentence for sentence in told(folder, once))


def test_one_model_twice_is_told(folder: Path) -> None:
    text = WHOLE + '[[model]]\nname = "rl"\npath = "models/base"\nstep = 100\ntraining_seed = 7\n'
    (sentence,) = told(folder, text)
    assert sentence.startswith(f"line {text.count(chr(10)) - 3}: there is a model 'rl step 100 seed 7' already, on line 8")


def test_one_prompt_under_two_names_would_be_one_run(folder: Path) -> None:
    text = WHOLE + '[[prompt]]\nname = "boxed again"\ntemplate = "{problem}\\nPut the answer in \\\\boxed{}.\\n"\n'
    (sentence,) = told(folder, text)
    assert sentence.endswith("the prompt 'boxed again' asks as 'boxed' does, so its runs would be the same; leave one out")


@pytest.mark.parametrize(
    ("own", "differs"),
    [
        ("", False),
        ("max_tokens = 100", False),
        ('stop = ["END", "\\n\\n"]', False),
        ('n = 9\nmax_tokens = 100\nstop = ["END", "\\n\\n"]', False),
        ("max_tokens = 99", True),
        ("stop = []", True),
        ("chat = true", True),
        ('chat = true\nsystem = "Be brief."', True),
    ],
)
def test_prompts_are_compared_by_what_is_in_force(folder: Path, own: str, differs: bool) -> None:
    text = WHOLE + f'[[prompt]]\nname = "again"\ntemplate = "{{problem}}\\nPut the answer in \\\\boxed{{}}.\\n"\n{own}\n'
    text = text.replace('prompt = "boxed"', 'prompt = ["boxed", "again"]')
    if differs:
        made = [plan for plan in plans(read(write(folder, text))) if plan.problems[0].benchmark == "more"]
        facts = Facts("any", "1", "cpu", "float32", 200, (1,), "v", chat_template="c")
        assert len({run_of(plan, facts).key for plan in made}) == len(made) == 3 * 2 * 2
    else:
        (sentence,) = told(folder, text)
        assert "the prompt 'again' asks as 'boxed' does" in sentence


def test_the_share_of_memory_is_vllms(folder: Path) -> None:
    text = changed('sampler = "transformers"', 'sampler = "vllm"\nmemory = 0.5')
    assert {plan.opening.memory for plan in plans(read(write(folder, text)))} == {0.5}
    assert plans(read(write(folder, text.replace("memory = 0.5", "memory = 1"))))[0].opening.memory == 1.0
    assert plans(read(write(folder, WHOLE)))[0].opening.memory is None
    without = SHORT.replace('model = [{name = "m", path = "models/base"}]\n', "") + "[engine]\nmemory = 0.5\n"
    assert any("memory is for the sampler vllm" in sentence for sentence in told(folder, without)), "and no model is needed"


def test_parents_in_a_circle_are_told_and_end(folder: Path) -> None:
    found = told(folder, changed('role = "base"', 'role = "base"\nparent = "rl"'))
    assert sum("descends from itself" in sentence for sentence in found) == 2


def test_all_mistakes_are_told_at_once_in_the_files_order(folder: Path) -> None:
    text = WHOLE
    for old, new, _ in MISTAKES:
        text = text.replace(old, new, 1)
    found = told(folder, text)
    assert len(found) == 21
    assert found[-1].endswith("mistakes more")
    lines = [int(sentence.split(":")[0].removeprefix("line ")) for sentence in found[:-1]]
    assert lines == sorted(lines)


@pytest.mark.parametrize(
    ("text", "at", "words"),
    [
        ("study = 's.db'\n[[model]\n", 2, "this is no TOML: "),
        ("study = 's.db'\nname = \n", 2, "invalid value"),
        ("a = 1\n\na = 2\n", 3, "cannot overwrite a value"),
        ('a = 1\nb = "open', 2, "no TOML"),
        ('a = 1\nb = """open\n\n', 2, "no TOML"),
        ('p = "C:\\models"', 1, "no TOML"),
    ],
)
def test_what_is_no_toml_is_told_with_its_line(folder: Path, text: str, at: int, words: str) -> None:
    (sentence,) = told(folder, text)
    assert sentence.startswith(f"line {at}: ")
    assert words in sentence


def test_what_cannot_be_read_at_all_is_a_sentence(folder: Path) -> None:
    with pytest.raises(DeclarationError, match=r"cannot be read: .*`basebound init none.toml` writes an example"):
        read(folder / "none.toml")
    path = folder / "study.toml"
    path.write_bytes(b"study = 's.db'\nname = '\xff'\n")
    with pytest.raises(DeclarationError, match="line 2: a character is not UTF-8"):
        read(path)
    path.write_text("a = " + "[" * 100_000)
    with pytest.raises(DeclarationError, match="nested too deeply"):
        read(path)


VALUES = st.sampled_from(
    ["1", "-1", "0.5", "true", '"x"', "''", "[]", "[1, 1]", '["x", 2]', "{a = 1}", "[{name = 1}]", "nan", "1e999", "07:32:00"]
)
KEYS = st.one_of(
    st.sampled_from(
        ["study", "name", "path", "hub", "revision", "role", "parent", "step", "steps", "training_seed", "adapter"]
    ),
    st.sampled_from(["file", "n", "verifier", "prompt", "template", "chat", "system", "temperature", "top_p", "top_k", "stop"]),
    st.sampled_from(["max_tokens", "seed", "sampler", "tensor_parallel", "engines", "dtype", "url", "served", "verify"]),
)
HEADS = st.sampled_from(
    ["[[model]]", "[[benchmark]]", "[[prompt]]", "[sampling]", "[engine]", "[analyses]", "[model]", "[[sampling]]", "[other]"]
)
TABLES = st.tuples(HEADS, st.dictionaries(KEYS, VALUES, max_size=4))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(top=st.dictionaries(KEYS, VALUES, max_size=2), tables=st.lists(TABLES, max_size=6))
def test_whatever_a_file_says_only_sentences_come_of_it(
    tmp_path: Path, top: dict[str, str], tables: list[tuple[str, dict[str, str]]]
) -> None:
    parts = [("", top), *tables]
    text = "\n".join(head + "\n" + "\n".join(f"{key} = {value}" for key, value in pairs.items()) for head, pairs in parts)
    path = write(tmp_path, text)
    with pytest.raises(DeclarationError) as raised:  # no model of these is there
        read(path)
    assert all(sentence.startswith(f"{path}") for sentence in str(raised.value).split("\n"))


# Servers


SERVED = changed('sampler = "transformers"', 'sampler = "server"\nurl = "http://localhost:8000/v1"')


def test_a_servers_models_need_no_folder(folder: Path) -> None:
    text = SERVED.replace('path = "models/base"\n', 'served = "lab/base"\nrevision = "v2"\n').replace(
        'path = "models/step-{step}"\n', 'served = "rl-{step}"\n'
    )
    found = read(write(folder, text))
    assert folders_of(found) == {}
    made = {plan.model.step: plan for plan in plans(found)}
    assert {step: plan.opening.served for step, plan in made.items()} == {None: "lab/base", 50: "rl-50", 100: "rl-100"}
    assert {plan.opening.url for plan in made.values()} == {"http://localhost:8000/v1"}
    revisions = {step: plan.model.revision for step, plan in made.items()}
    assert revisions == {None: "v2", 50: "step-50-seed-7", 100: "step-100-seed-7"}, "checkpoints are not one model"


NO_REVISION = "nothing would tell it from other weights under the same name; add revision = "


@pytest.mark.parametrize("instead", ['served = "lab/base"', 'path = "tokenizer"', "training_seed = 1"])
def test_a_servers_model_says_which_weights_it_is(folder: Path, instead: str) -> None:
    tokenizer_only(folder)
    text = SERVED.replace('path = "models/base"', instead)
    assert told(folder, text) == [f"line 3: the server's model 'base' has no revision: {NO_REVISION}\"…\""]


@pytest.mark.parametrize(
    "telling",
    ['path = "models/base"', 'hub = "lab/base"', 'path = "tokenizer"\nrevision = "v2"', "step = 9", 'adapter = "lora"'],
)
def test_weights_a_commit_a_revision_a_step_or_an_adapter_tell_it(folder: Path, telling: str) -> None:
    tokenizer_only(folder)
    assert read(write(folder, SERVED.replace('path = "models/base"', telling))).models[0].name == "base"


def test_an_adapter_on_a_server_is_told_without_the_weights(folder: Path) -> None:
    tokenizer_only(folder)

    def revision(*lines: str) -> str:
        text = SERVED.replace('path = "models/base"', "\n".join(lines))
        return plans(read(write(folder, text)))[0].model.revision

    plain, adapter = 'path = "tokenizer"', 'adapter = "lora"'
    digest = content_revision(folder / "tokenizer", folder / "lora")
    assert revision(plain, adapter) == digest
    assert revision(plain, adapter, "step = 9") == f"step-9+{digest}"
    assert revision(plain, adapter, 'revision = "v2"') == f"v2+{digest}"
    served = revision('served = "lora"', adapter)
    (folder / "lora" / "adapter_model.safetensors").write_text("trained on")
    assert revision(plain, adapter) != digest
    assert revision('served = "lora"', adapter) != served


def test_a_folder_that_happens_to_have_a_served_models_name_tells_nothing(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder / "models")  # where a folder "base" lies
    text = SERVED.replace('path = "models/base"', 'served = "lab/base"\nrevision = "v2"')
    assert plans(read(write(folder, text)))[0].model.revision == "v2"


def tokenizer_only(folder: Path) -> None:
    (folder / "tokenizer").mkdir()
    (folder / "tokenizer" / "tokenizer.json").write_text("{}")


def test_a_server_needs_a_url(folder: Path) -> None:
    text = SERVED.replace('url = "http://localhost:8000/v1"\n', "")
    (sentence,) = told(folder, text)
    assert sentence.startswith(f"line {line('[engine]')}: the sampler server has no url")


# Plans


def test_plans_are_every_combination_in_the_files_order(folder: Path) -> None:
    made = plans(read(write(folder, WHOLE)), Shard(1, 2))
    assert len(made) == 3 * (2 + 1) * 2
    names = {WHOLE_BOXED: "boxed", "system: Answer at once.\n\nuser: {problem}": "direct"}
    order = [
        (plan.model.step, plan.problems[0].benchmark, names[plan.template.name], plan.manner.decoding.temperature)
        for plan in made
    ]
    asked = [("sums", "boxed"), ("sums", "direct"), ("more", "boxed")]
    assert order == [(step, *one, t) for step in (None, 50, 100) for one in asked for t in (0.6, 1.0)]
    first, direct = made[0], made[2]
    assert first.model.revision == content_revision(folder / "models/base")
    assert made[-1].model.revision == content_revision(folder / "models/step-100") != first.model.revision
    assert (first.n, direct.n, made[-1].n) == (4, 16, 2)
    assert (first.manner.max_tokens, direct.manner.max_tokens) == (100, 8)
    assert (first.manner.stop, direct.manner.stop) == (("END", "\n\n"), (".",))
    assert (first.manner.decoding.top_p, first.manner.decoding.top_k) == (0.9, 20)
    opening = first.opening
    assert (opening.model, opening.context_cap, opening.gpus, opening.batch) == (folder / "models/base", 200, 2, 5)
    assert (opening.dtype, opening.device, first.seed, first.shard) == ("float32", "cpu", 3, Shard(1, 2))
    assert [problem.key for problem in first.problems] == ["1", "2", "3"]


WHOLE_BOXED = "{problem}\nPut the answer in \\boxed{}.\n"


def test_the_caller_may_say_where_models_lie(folder: Path) -> None:
    found = read(write(folder, WHOLE))
    elsewhere = folders_of(found) | {"base": BASE.path}
    assert plans(found, folders=elsewhere)[0].model.revision == content_revision(BASE.path)


def test_an_adapter_is_part_of_what_tells_a_model(folder: Path) -> None:
    plain, adapted = (
        plans(read(write(folder, text)))[0] for text in (WHOLE, changed('role = "base"', 'role = "base"\nadapter = "lora"'))
    )
    assert adapted.opening.adapter == folder / "lora"
    assert adapted.model.revision == content_revision(folder / "models/base", folder / "lora") != plain.model.revision


def test_made_up_responses_stand_under_no_models_name(folder: Path) -> None:
    text = changed('sampler = "transformers"', 'sampler = "scripted"').replace("models/", "not-there-yet/")
    made = plans(read(write(folder, text)))
    assert {plan.model.name for plan in made} == {"scripted"}
    assert len(made) == 3 * 2, "once, not for every model"


def test_a_sampler_of_ones_own_lies_beside_the_file(folder: Path) -> None:
    text = changed('sampler = "transformers"', 'sampler = "own.py:Mine"\nurl = "http://localhost"')
    assert {plan.sampler for plan in plans(read(write(folder, text)))} == {f"{folder / 'own.py'}:Mine"}


def test_a_commit_of_the_hub_is_a_revision(folder: Path) -> None:
    text = changed('path = "models/base"', 'hub = "lab/base"\nrevision = "main"')
    found = read(write(folder, text))
    commit = folder / "snapshots" / ("0123456789" * 4)
    commit.mkdir(parents=True)
    there = {model.label: commit if model.hub else model.path or folder for model in found.models}
    assert plans(found, folders=there)[0].model.revision == "0123456789" * 4


def test_a_dry_run_fetches_no_weights_and_plans_the_same(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hub = 'hub = "lab/base"\n'
    text = changed('path = "models/base"\n', hub) + f'[[model]]\nname = "adapted"\n{hub}adapter = "lora"\n'
    found = read(write(folder, text))
    commit = folder / "snapshots" / ("0123456789" * 4)
    commit.mkdir(parents=True)
    (commit / "config.json").write_text("{}")
    asked: list[bool] = []

    def fetch(name: str, revision: str | None = None, *, weights: bool = True) -> Path:
        asked.append(weights)
        if weights:
            (commit / "model.safetensors").write_text("weights")
        return commit

    monkeypatch.setattr("engine.hub.model_folder", fetch)
    dry = plans(found, weights=False)
    assert asked == [False, False]
    assert plans(found) == dry, "so that a dry run finds what is there"
    assert asked == [False, False, True, True]
    adapted = next(plan for plan in dry if plan.model.name == "adapted").model.revision
    assert adapted.startswith("0123456789" * 4 + "+sha256:")
    (folder / "lora" / "adapter_config.json").write_text('{"lora_alpha": 8}')
    assert next(plan for plan in plans(found) if plan.model.name == "adapted").model.revision != adapted


def test_a_folder_of_ones_own_is_looked_at_by_a_dry_run_too(folder: Path) -> None:
    found = read(write(folder, WHOLE))
    (folder / "models/step-50/model.safetensors").unlink()
    with pytest.raises(SamplerError, match=r"step-50 cannot be loaded as a model: .* no weights"):
        plans(found, weights=False)


# Templates


def placed(name: str, folder: Path) -> str:
    """A template's text, with what it names put where it names it."""
    text = template(name, f"{name}.toml")
    content: dict[str, Any] = tomllib.loads(text)
    for model in content["model"]:
        for step in model.get("steps", [None]):
            place = folder / str(model.get("path", "hub")).replace("{step}", str(step))
            if not place.exists():
                place.mkdir(parents=True)
                (place / "config.json").write_text("{}")
                (place / "model.safetensors").write_text("weights")
    for benchmark in content["benchmark"]:
        place = folder / benchmark["file"]
        if not place.exists():
            place.write_text('{"key": "1", "statement": "1 + 1?", "reference": "2"}\n')
    return text


@pytest.mark.parametrize("name", TEMPLATES)
def test_every_template_is_read_without_a_mistake(name: str, tmp_path: Path) -> None:
    found = read(write(tmp_path, placed(name, tmp_path)))
    assert found.study == tmp_path / f"{name}.db"
    local = {model.label: model.path or tmp_path / "hub" for model in found.models}
    made = plans(found, folders=local)
    assert {Role.BASE, Role.RL} == {plan.model.role for plan in made}
    assert all(r"\boxed{}" in plan.template.text for plan in made) or name == "demo"


@pytest.mark.parametrize("name", ["plain", "paper"])
def test_a_template_as_it_is_lacks_files_only(name: str, tmp_path: Path) -> None:
    found = told(tmp_path, template(name, f"{name}.toml"))
    assert found
    assert all("is not there" in sentence for sentence in found)


def test_what_a_template_comments_out_is_right_too(tmp_path: Path) -> None:
    text = placed("plain", tmp_path)
    (tmp_path / "runs").mkdir()
    for commented, value in [
        ("context_cap", "20480"),
        ("tensor_parallel", "2"),
        ("engines", "4"),
        ("dtype", '"bfloat16"'),
        ("memory", "0.85"),
    ]:
        assert f"# {commented} = {value}" in text
        text = text.replace(f"# {commented} =", f"{commented} =")
    text = text.replace('# verifier = "math"', 'verifier = "math"').replace("# step = 100", "step = 100")
    found = read(write(tmp_path, text))
    assert (found.sampling.context_cap, found.engine.tensor_parallel, found.models[1].step) == (20480, 2, 100)


def test_the_paper_is_drawn_as_the_paper_drew(tmp_path: Path) -> None:
    found = read(write(tmp_path, placed("paper", tmp_path)))
    assert (found.sampling.temperatures, found.sampling.top_p, found.sampling.max_tokens) == ((0.6,), 0.95, 16_384)
    assert {one.name: one.n for one in found.benchmarks} == {
        "AIME24": 1024, "AMC23": 1024, "MATH500": 128, "Minerva": 128, "GSM8K": 128,
    }  # fmt: skip
    assert found.benchmarks[0].prompts == ("boxed", "direct")


def test_the_demo_samples_the_bundled_models(tmp_path: Path) -> None:
    made = plans(read(write(tmp_path, template("demo", "demo.toml"))))
    assert [plan.opening.model for plan in made] == [BASE.path, *(model.path for model in GRPO)]
    assert [plan.model.step for plan in made] == [None, 30, 60, 90]


@pytest.mark.parametrize("name", ['a "quoted" name.toml', "back\\slash.toml", "new\nline.toml"])
def test_a_files_name_cannot_break_its_template(name: str) -> None:
    assert tomllib.loads(template("plain", name))["study"] == f"{name.removesuffix('.toml')}.db"


# Lines

BARE = st.text("abz_-09", min_size=1, max_size=3)
SPACES = st.sampled_from(["", " ", "\t", "  "])
COMMENTS = st.sampled_from(["", " # plain", " # \"quotes\" ''' [ { } ]", "#\t= x"])
BREAKS = st.sampled_from(["", "\n", " # in\n", "\n\n  # a ] in a comment\n ", " "])
TEXTS = st.text("ab =#[]{}'\"\n\\,.", max_size=8)
SCALARS = st.sampled_from(["1", "-0.5", "1_000", "true", "1979-05-27T07:32:00Z", "1979-05-27 07:32:00", "inf", "0xff", "6e-2"])


class Document:
    """Writes a document, and keeps the line of everything it writes."""

    def __init__(self, draw: Callable[[st.SearchStrategy[Any]], Any]) -> None:
        self.draw = draw
        self.text = ""
        self.lines: dict[Place, int] = {}

    def put(self, text: str) -> None:
        self.text += text

    def note(self, place: Place) -> None:
        self.lines.setdefault(place, self.text.count("\n") + 1)

    def key(self, key: str) -> None:
        self.put(self.draw(st.sampled_from([key, json.dumps(key), f"'{key}'"])))

    def string(self, multiline: bool) -> None:
        text = self.draw(TEXTS)
        single = json.dumps(text)
        forms = [single] if "'" in text or "\n" in text else [single, f"'{text}'"]
        if multiline:
            forms.append('"""' + single[1:-1].replace("\\n", "\n").replace('\\"', '\\"') + '"""')
            forms += [f"'''{text}'''"] if "'" not in text else [f'"""a"b""c\\""""{chr(34) * 2}', "'''a'[b''\nc]'''''"]
        self.put(self.draw(st.sampled_from(forms)))

    def value(self, place: Place, depth: int, multiline: bool = True) -> None:
        kind = self.draw(st.sampled_from(["scalar", "string", *(["array", "inline"] if depth else [])]))
        if kind == "scalar":
            self.put(self.draw(SCALARS))
        elif kind == "string":
            self.string(multiline)
        elif kind == "array":
            self.array(place, depth - 1, multiline)
        else:
            self.inline(place, depth - 1)

    def array(self, place: Place, depth: int, multiline: bool) -> None:
        count = self.draw(st.integers(0, 3))
        self.put("[")
        for index in range(count):
            self.put(self.draw(BREAKS) if multiline else " ")
            self.note((*place, index))
            self.value((*place, index), depth, multiline)
            self.put(self.draw(BREAKS) if multiline else "")
            self.put("," if index < count - 1 else self.draw(st.sampled_from(["", ","])))
        self.put((self.draw(BREAKS) if multiline else "") + "]")

    def inline(self, place: Place, depth: int) -> None:
        keys = self.draw(st.lists(BARE, max_size=3, unique=True))
        self.put("{")
        for at, key in enumerate(keys):
            self.put(", " if at else self.draw(SPACES))
            self.pair(place, [key], depth, multiline=False)
        self.put(self.draw(SPACES) + "}")

    def pair(self, table: Place, keys: list[str], depth: int, multiline: bool = True) -> None:
        for at in range(len(keys)):
            self.note((*table, *keys[: at + 1]))
        for at, key in enumerate(keys):
            self.put(self.draw(SPACES) + "." + self.draw(SPACES) if at else "")
            self.key(key)
        self.put(f"{self.draw(SPACES)}={self.draw(SPACES)}")
        self.value((*table, *keys), depth, multiline)

    def statement(self, table: Place, key: str) -> None:
        self.put(self.draw(st.sampled_from(["", "  ", "\n", "# a comment [x]\n", "\t"])))
        self.pair(table, self.draw(st.sampled_from([[key], [key, "sub"]])), 2)
        self.put(self.draw(COMMENTS) + "\n")


@st.composite
def documents(draw: Callable[[st.SearchStrategy[Any]], Any]) -> tuple[str, dict[Place, int]]:
    document = Document(draw)
    for key in draw(st.lists(BARE, max_size=2, unique=True)):
        document.statement((), f"{key}1")
    counts: dict[str, int] = {}
    for name, double, sub in draw(st.lists(st.tuples(BARE, st.booleans(), st.booleans()), max_size=4)):
        if name in counts and not (double and name.endswith("9")):
            continue  # a table comes once
        name = f"{name}9" if double and not name.endswith("9") else name
        if not double and name.endswith("9"):
            continue
        counts[name] = counts.get(name, -1) + 1
        document.put(draw(st.sampled_from(["", "\n", "# before\n"])))
        document.note((name,))
        place: Place = (name, counts[name]) if double else (name,)
        document.note(place)
        document.put(f"[[ {name} ]]" if double else f"[{name}]")
        document.put(draw(COMMENTS) + "\n")
        for key in draw(st.lists(BARE, max_size=3, unique=True)):
            document.statement(place, f"{key}1")
        if sub:
            document.note((*place, "inner"))
            document.put(f"[{name}.inner]\n")
            document.statement((*place, "inner"), "x")
    return document.text, document.lines


def places(value: Any, place: Place = ()) -> Iterator[Place]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in inner:
        yield (*place, key)
        yield from places(one, (*place, key))


@settings(max_examples=400, deadline=None)
@given(documents())
def test_every_key_is_found_on_its_line(document: tuple[str, dict[Place, int]]) -> None:
    text, expected = document
    found = lines_of(text)
    assert found == expected
    assert set(found) == set(places(tomllib.loads(text))), "and nothing else is"


def test_what_is_not_there_has_the_line_of_what_is_around_it() -> None:
    lines = lines_of("a = 1\n[[t]]\nx = 1\n[[t]]\ny = {z = [\n1,\n2]}\n")
    assert line_of(lines, ("t", 1, "y", "z", 1)) == 7
    assert line_of(lines, ("t", 1, "missing")) == 4
    assert line_of(lines, ("none", "x")) == 1


def test_a_header_of_several_parts_finds_the_newest_table() -> None:
    lines = lines_of('[[a]]\n[a.b]\nc = 1\n[[a]]\n[[a."b c".d]]\nx = 1\n[[a."b c".d]]\ny.z = """\n]\n"""\nw=1\n')
    assert lines["a", 0, "b", "c"] == 3
    assert lines["a", 1, "b c", "d", 1, "y", "z"] == 8
    assert lines["a", 1, "b c", "d", 1, "w"] == 11
