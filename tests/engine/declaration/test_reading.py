"""STUDY.toml: what is right is read whole, what is wrong is told with the line it stands on, all of it at once."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.declaration import DeclarationError, plans, read
from engine.declaration.reading import DTYPES
from engine.prompts import Template
from engine.samplers.base import Facts
from engine.sampling import run_of
from store.types import Role
from tests.engine.declaration.declared import WHOLE, changed, line, told, write
from tests.test_house import imported_after


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
    assert found.analyses.tokens == "set:base-only correct:yes"


def test_token_scores_are_of_what_is_scored_and_nothing_means_all(folder: Path) -> None:
    assert read(write(folder, SHORT + '[analyses]\nscore = true\ntokens = ""\n')).analyses.tokens == ""
    for scored in ("", "score = false\n"):
        text = SHORT + f'[analyses]\ntokens = ""\n{scored}'
        assert told(folder, text) == [
            f"line {line_of(text, 'tokens')}: tokens is for score = true; write that, or leave tokens out"
        ]


def line_of(text: str, start: str) -> int:
    return next(number for number, one in enumerate(text.splitlines(), 1) if one.startswith(start))


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
    assert (found.analyses.verify, found.analyses.score, found.analyses.tokens) == (True, False, None)
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
    ('tokens = "set', 'tokens = "sett', "tokens is no expression of the filter: "),
    ('tokens = "set:base-only correct:yes"', "tokens = true", "tokens is true; give a text between quotes"),
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
