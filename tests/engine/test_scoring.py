"""The stage `score`: against one plain forward pass a response, resumed, and what is refused, left out and told."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from math import exp, inf, nan
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM

from engine.analyses.perplexity import perplexities
from engine.decoding import PLAIN, Decoding, log_probabilities
from engine.likelihood import SCORERS
from engine.likelihood.base import Response, Scored
from engine.likelihood.decodings import decodings_of
from engine.likelihood.transformers import TransformersScorer
from engine.prompts import Template
from engine.samplers import Entry
from engine.samplers.base import Manner, Opening, SamplerError
from engine.sampling import Plan, content_revision, sample
from engine.scoring import Asked, Judge, ScoredRuns, find_scorer, score
from store.check import check_structure
from store.errors import NotFound
from store.likelihoods import LikelihoodRow, likelihoods, pieces, to_score, token_scores
from store.query import BadQuery
from store.reader import Study
from store.rows import RunRow
from store.types import Finish, Model, NewSample, NewTrace, Outcome, Problem, Role, Run
from store.writer import Writer
from tests.builders import answers, source
from tests.engine.tiny import LETTERS, save_model

PROBLEMS = [Problem("b", str(key), f"{key}?", "1") for key in range(5)]
PAPER = Decoding(0.6, 0.95)


@pytest.fixture(scope="module", params=["llama", "qwen2", "qwen3"])
def models(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Base, and a sibling of other weights."""
    folder = tmp_path_factory.mktemp("models")
    return save_model(folder / "base", request.param, 1), save_model(folder / "rl", request.param, 2)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_model(tmp_path_factory.mktemp("one") / "base", seed=1)


@pytest.fixture(scope="module")
def rl(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_model(tmp_path_factory.mktemp("one") / "rl", seed=2)


def sampled(path: Path, folder: Path, n: int = 6, decoding: Decoding = PAPER, role: Role = Role.BASE) -> Model:
    model = Model(folder.name, content_revision(folder), role)
    with Writer(path, "test") as writer:
        sample(writer, Plan(model, Opening(folder), PROBLEMS, Template("{problem}"), Manner(decoding, 30), n))
    return model


def runs_of(path: Path) -> list[RunRow]:
    with Study(path) as study:
        return study.runs()


def scored(path: Path, folder: Path, asked: Asked | None = None, *, of: list[RunRow] | None = None, **more: Any) -> ScoredRuns:
    with Writer(path, "test") as writer:
        with Study(path) as study:
            judge = Judge(find_scorer(study, folder), Opening(folder, dtype="float64"))
        return score(writer, judge, of or runs_of(path), asked or Asked(), **more)


def asking(path: Path, sql: str) -> list[tuple[Any, ...]]:
    with Study(path) as study:
        return study.query(sql)


def detailed(path: Path) -> list[int]:
    return [one for (one,) in asking(path, "SELECT DISTINCT sample_id FROM token_score ORDER BY 1")]


# -- numbers ---------------------------------------------------------------------------------------------------------------


def test_sums_are_those_of_one_plain_forward_pass_a_response(tmp_path: Path, models: tuple[Path, Path]) -> None:
    base, rl = models
    path = tmp_path / "s.db"
    sampled(path, base)
    with Study(path) as study:
        wanted = to_score(study, range(1, 31))
    assert scored(path, rl).responses == 30
    assert scored(path, rl) == ScoredRuns()
    # Not "eager": that takes its softmax in float32, whatever the model's type.
    plain = AutoModelForCausalLM.from_pretrained(rl, dtype=torch.float64, attn_implementation="sdpa")
    columns = "sample_id, temperature, tokens, logp, outside, stop_logp, entropy, lowest, lowest_at, first_choices, edge"
    stored = {(row[0], row[1]): row[2:] for row in asking(path, f"SELECT {columns} FROM likelihood")}
    assert len(stored) == 60
    for one in wanted:
        assert one.prompt is not None
        assert one.ids is not None
        ids = torch.tensor(one.ids)
        with torch.no_grad():
            logits = plain(torch.tensor([one.prompt + one.ids])).logits[0, len(one.prompt) - 1 : -1]
        for decoding in (PLAIN, PAPER):
            whole = log_probabilities(logits, decoding)
            logp = whole.gather(-1, ids[:, None])[:, 0]
            tokens, total, outside, stop, entropy, lowest, lowest_at, firsts, edge = stored[one.sample_id, decoding.temperature]
            assert tokens == len(one.ids)
            assert outside == int((logp == -inf).sum())
            assert total == (None if outside else pytest.approx(logp.sum().item(), abs=1e-5 * tokens))
            assert stop == (pytest.approx(logp[-1].item(), abs=1e-5) if one.stopped and logp[-1] > -inf else None)
            assert entropy == pytest.approx(
                -(whole.exp() * whole.masked_fill(whole == -inf, 0)).sum().item(), abs=1e-5 * tokens
            )
            drawable = [nats for nats in logp.tolist() if nats > -inf]
            assert lowest == (pytest.approx(min(drawable), abs=1e-5) if drawable else None)
            assert lowest is None or logp[lowest_at].item() == pytest.approx(lowest, abs=1e-5)
            assert firsts == int((logits.argmax(-1) == ids).sum())
            if decoding is PLAIN:
                assert edge is None
            else:
                warm = torch.softmax(logits / decoding.temperature, -1)
                above = torch.where(warm > warm.gather(-1, ids[:, None]), warm, 0.0).sum(-1)
                assert edge == pytest.approx((above - decoding.top_p).max().item(), abs=1e-5)
                assert (edge < 0) == (outside == 0)


def test_a_model_can_always_emit_what_it_drew(tmp_path: Path, models: tuple[Path, Path]) -> None:
    path = tmp_path / "s.db"
    model = sampled(path, models[0])
    with Study(path) as study:
        assert find_scorer(study, models[0]) == model
    scored(path, models[0])
    with Study(path) as study:
        (summary,) = perplexities(likelihoods(study))
    assert summary.supported == 1.0
    assert summary.responses == 30
    assert summary.median >= 1


def test_tokens_are_those_of_the_sums(tmp_path: Path, models: tuple[Path, Path]) -> None:
    path = tmp_path / "s.db"
    sampled(path, models[0])
    assert scored(path, models[1], Asked(tokens="")).detailed == 30
    with Study(path) as study:
        rows = {(row.sample_id, row.is_plain): row for row in likelihoods(study)}
        wanted = to_score(study, range(1, 31))
        for one in wanted:
            (found,) = token_scores(study, one.sample_id)
            scores, text = found.scores, study.texts.response(one.sample_id)
            plain, own = rows[one.sample_id, True], rows[one.sample_id, False]
            assert (found.temperature, found.top_p, found.top_k) == (0.6, 0.95, 0)
            assert len(scores.logp) == len(one.ids or ()) == plain.tokens
            assert sum(scores.logp) == pytest.approx(plain.logp, abs=0.01 * plain.tokens)
            assert scores.decoded is not None
            assert scores.edge is not None
            assert scores.entropy is not None
            assert sum(nats == -inf for nats in scores.decoded) == own.outside == sum(edge >= 0 for edge in scores.edge)
            assert sum(not scores.is_fork(place) for place in range(plain.tokens)) == plain.first_choices
            assert scores.spans is not None
            assert sum(scores.spans) == len(text)
            assert not one.stopped or scores.spans[-1] == 0
            ids = {other.token_id for several in (scores.others or {}).values() for other in several}
            assert pieces(study, found.vocabulary, ids) == {i: ("<end>", *LETTERS)[i] for i in ids}


def test_a_run_drawn_at_temperature_1_has_one_distribution(tmp_path: Path, base: Path) -> None:
    path = tmp_path / "s.db"
    sampled(path, base, 2, PLAIN)
    assert scored(path, base, Asked(tokens="")).detailed == 10
    assert asking(path, "SELECT count(*), max(temperature), max(edge) FROM likelihood") == [(10, 1.0, None)]
    with Study(path) as study:
        (found,) = token_scores(study, 1)
    assert (found.scores.decoded, found.scores.edge) == (None, None)
    assert scored(path, base, Asked(tokens="")) == ScoredRuns()


def test_perplexity_is_per_token_and_support_is_at_the_run_s_decoding() -> None:
    plain = LikelihoodRow(1, 1, 1, 0, "base", "r", 1.0, 1.0, 0, Outcome.CORRECT, False, 9, 4, -8.0, 0)
    rows = [plain, replace(plain, outcome=Outcome.INCORRECT, tokens=10, logp=-10.0), replace(plain, outcome=None, logp=-4.0)]
    decoded = replace(plain, temperature=0.6, top_p=0.95)
    rows += [decoded, replace(decoded, logp=None, outside=2), replace(decoded, logp=None, outside=1), decoded]
    (found,) = perplexities(rows)
    assert found.responses == 3
    assert found.median == pytest.approx(exp(1))
    assert found.median_correct == pytest.approx(exp(2))
    assert found.supported == 0.5
    assert perplexities([]) == []
    assert perplexities([replace(plain, tokens=0, logp=0.0)])[0].median == pytest.approx(nan, nan_ok=True)


# -- what is asked, and what is there already --------------------------------------------------------------------------------


def stopping_at(number: int) -> Callable[[int, int], None]:
    def stop(done: int, total: int) -> None:
        assert total == 30
        if done >= number:
            raise KeyboardInterrupt

    return stop


def test_a_stopped_scoring_goes_on_where_it_was(tmp_path: Path, base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "s.db"
    sampled(path, base)
    monkeypatch.setattr("engine.pace.WRITE_EVERY_S", -1.0)
    with pytest.raises(KeyboardInterrupt):
        scored(path, base, Asked(tokens=""), progress=stopping_at(14))
    assert asking(path, "SELECT count(*) FROM likelihood") == [(28,)]
    assert len(detailed(path)) == 14
    assert scored(path, base, Asked(tokens="")).responses == 16
    assert asking(path, "SELECT count(*), count(DISTINCT sample_id) FROM likelihood") == [(60, 30)]
    assert len(detailed(path)) == 30


def test_tokens_asked_for_later_are_scored_again_and_only_those(tmp_path: Path, base: Path) -> None:
    path = tmp_path / "s.db"
    sampled(path, base)
    assert scored(path, base) == ScoredRuns(30, truncated=truncated(path))
    found = scored(path, base, Asked(tokens="problem:2"))
    assert (found.responses, found.detailed) == (6, 6)
    assert len(detailed(path)) == 6
    assert scored(path, base, Asked(tokens="problem:2")).responses == 0
    assert scored(path, base).responses == 0
    assert asking(path, "SELECT count(*) FROM likelihood") == [(60,)]


def truncated(path: Path) -> int:
    return int(asking(path, "SELECT count(*) FROM sample WHERE finish = 'length'")[0][0])


def test_where_says_which_and_tokens_which_of_those(tmp_path: Path, base: Path) -> None:
    path = tmp_path / "s.db"
    sampled(path, base)
    found = scored(path, base, Asked(where="problem:1 or problem:2", tokens="problem:2 or problem:3"))
    assert (found.responses, found.detailed) == (12, 6)
    assert asking(
        path, "SELECT DISTINCT key FROM likelihood JOIN sample USING (sample_id) JOIN problem USING (problem_id)"
    ) == [
        ("1",),
        ("2",),
    ]


@pytest.mark.parametrize("asked", [("sett:base-only", None), (None, "(correct:yes")])
def test_a_query_that_cannot_be_read_is_refused_at_once(asked: tuple[str | None, str | None]) -> None:
    with pytest.raises(BadQuery):
        Asked(*asked)


def test_where_nothing_is_lacking_no_model_is_loaded(tmp_path: Path, base: Path) -> None:
    path = tmp_path / "s.db"
    model = sampled(path, base, 1)
    scored(path, base)
    with Writer(path, "test") as writer:
        nowhere = Judge(model, Opening(tmp_path / "nowhere"))
        assert score(writer, nowhere, runs_of(path)) == ScoredRuns()
        with pytest.raises(SamplerError):
            score(writer, nowhere, runs_of(path), Asked(tokens=""))


KILLED = """
import sys
from pathlib import Path
from engine import pace
from engine.samplers.base import Opening
from engine.scoring import Asked, Judge, find_scorer, score
from store.reader import Study
from store.writer import Writer

pace.WRITE_EVERY_S = -1.0
path, folder = Path(sys.argv[1]), Path(sys.argv[2])
with Study(path) as study, Writer(path, "test") as writer:
    judge = Judge(find_scorer(study, folder), Opening(folder, dtype="float64"))
    def progress(done, total):
        print(done, flush=True)
        if len(sys.argv) > 3 and done >= int(sys.argv[3]):
            sys.stdin.read()
    score(writer, judge, study.runs(), Asked(tokens=""), progress)
"""


def test_killed_between_writes_the_same_line_ends_as_if_it_had_not_been(tmp_path: Path, base: Path) -> None:
    whole, path = tmp_path / "whole.db", tmp_path / "s.db"
    for one in (whole, path):
        sampled(one, base, 4)
    scored(whole, base, Asked(tokens=""))
    line = [sys.executable, "-c", KILLED, str(path), str(base)]
    with subprocess.Popen([*line, "7"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        while int(process.stdout.readline() or 99) < 7:
            pass
        os.kill(process.pid, signal.SIGKILL)
    assert 7 <= len(detailed(path)) < 20
    subprocess.run(line, check=True, timeout=100, stdout=subprocess.DEVNULL)
    columns = "sample_id, temperature, tokens, round(logp, 9), outside, round(edge, 9), first_choices, dtype, engine"
    for sql in (
        f"SELECT {columns} FROM likelihood ORDER BY 1, 2",
        "SELECT * FROM piece",
        "SELECT sample_id, data FROM token_score",
    ):
        assert sorted(asking(path, sql)) == sorted(asking(whole, sql))


# -- what is refused, left out and told --------------------------------------------------------------------------------------


def in_float32(path: Path, folder: Path, asked: Asked) -> ScoredRuns:
    with Writer(path, "test") as writer:
        with Study(path) as study:
            judge = Judge(find_scorer(study, folder), Opening(folder, dtype="float32"))
        return score(writer, judge, runs_of(path), asked)


def test_a_coarser_dtype_does_not_take_the_place_of_what_is_there_unless_it_is_asked_to(tmp_path: Path, base: Path) -> None:
    path = tmp_path / "s.db"
    sampled(path, base)
    scored(path, base)
    before = asking(path, "SELECT * FROM likelihood ORDER BY 1, 2, 3")
    with pytest.raises(SamplerError, match="scored base@b in float64, and now computes in float32: give --dtype float64"):
        in_float32(path, base, Asked(tokens=""))
    assert asking(path, "SELECT * FROM likelihood ORDER BY 1, 2, 3") == before
    assert in_float32(path, base, Asked(tokens="", again=True)).responses == 30
    assert asking(path, "SELECT DISTINCT dtype FROM likelihood") == [("float32",)]
    assert scored(path, base, Asked(again=True)).responses == 30
    assert asking(path, "SELECT * FROM likelihood ORDER BY 1, 2, 3") == before


def test_again_makes_damaged_token_scores_anew(tmp_path: Path, base: Path) -> None:
    path = tmp_path / "s.db"
    sampled(path, base)
    scored(path, base, Asked(tokens=""))
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE token_score SET data = x'01'")
    assert any("are damaged" in found for found in check_structure(path))
    scored(path, base, Asked(tokens="", again=True))
    assert list(check_structure(path)) == []


def test_another_vocabulary_is_refused_unless_the_text_is_to_be_tokenized_anew(tmp_path: Path, base: Path) -> None:
    path = tmp_path / "s.db"
    sampled(path, base, 1)
    (run,) = runs_of(path)
    stranger = save_model(tmp_path / "stranger", letters=LETTERS[::-1])
    with pytest.raises(SamplerError, match=r"another vocabulary.*--retokenize"):
        scored(path, stranger)
    assert asking(path, "SELECT count(*) FROM likelihood") == [(0,)]
    with pytest.raises(NotFound, match="no run of stranger on b has prompts"):
        scored(path, stranger, Asked(retokenize=True))
    with pytest.raises(SamplerError, match="prompts of base@b are of another vocabulary"):
        scored(path, stranger, Asked(retokenize=True, prompt_of=run))
    sampled(path, stranger, 1, role=Role.OTHER)
    assert scored(path, stranger, Asked(retokenize=True), of=[run]).retokenized == 5
    assert asking(path, "SELECT DISTINCT retokenized, stop_logp FROM likelihood") == [(1, None)]


def imported(path: Path, texts: dict[str, str], benchmark: str = "b") -> RunRow:
    """A person's solutions, by problem."""
    run = Run(Model("a person"), benchmark)
    with Writer(path, "test") as writer:
        traces = [
            NewTrace(run, replace(PROBLEMS[int(key)], benchmark=benchmark), NewSample(text, line, finish=Finish.STOP))
            for line, (key, text) in enumerate(texts.items(), 1)
        ]
        writer.add_traces(source(writer), traces)
    with Study(path) as study:
        return study.find_run("a person")


def test_a_person_s_solution_is_scored_after_the_prompt_of_the_scorer_s_own_run(tmp_path: Path, base: Path) -> None:
    path = tmp_path / "s.db"
    sampled(path, base, 1)
    texts = {"0": "3 gj\nab", "1": "", "2": "7", "3": "a<end>b", "4": "Z"}
    run = imported(path, texts)
    with pytest.raises(NotFound, match=r"5 samples of .* have no token ids .*--retokenize"):
        scored(path, base, of=[run])
    found = scored(path, base, Asked(retokenize=True, tokens=""), of=[run])
    assert found == ScoredRuns(5, 5, 5)
    plain = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float64, attn_implementation="sdpa")
    letters = ("<end>", *LETTERS)
    rows = {key: rest for key, *rest in asking(path, ROWS_OF_A_PERSON)}
    for key, text in texts.items():
        known = [letters.index(letter) if letter in letters else letters.index("?") for letter in text]
        ids = torch.tensor([[letters.index(key), letters.index("?"), *known]])
        with torch.no_grad():
            logp = torch.log_softmax(plain(ids).logits[0, 1:-1], -1).gather(-1, ids[0, 2:, None])
        tokens, total, stop, anew = rows[key]
        assert (tokens, stop, anew) == (len(text), None, 1)
        assert total == pytest.approx(logp.sum().item(), abs=1e-5)
    with Study(path) as study:
        spelt = {
            key: token_scores(study, sample_id)[0].scores.spans
            for key, sample_id in study.query(
                "SELECT key, sample_id FROM sample JOIN problem USING (problem_id) WHERE run_id = 2"
            )
        }
    # What the vocabulary lacks is read otherwise than it stands there.
    assert spelt == {"0": [1] * 7, "1": [], "2": [1], "3": None, "4": None}
    assert scored(path, base, Asked(retokenize=True, tokens=""), of=[run]) == ScoredRuns()


ROWS_OF_A_PERSON = """
SELECT key, likelihood.tokens, likelihood.logp, stop_logp, retokenized FROM likelihood JOIN sample USING (sample_id)
JOIN problem USING (problem_id) WHERE run_id = 2 AND likelihood.temperature = 1
"""


def test_a_person_s_solution_is_scored_at_the_decoding_of_the_run_whose_prompts_it_follows(tmp_path: Path, base: Path) -> None:
    path = tmp_path / "s.db"
    sampled(path, base, 1)
    run = imported(path, {"2": "7", "4": "Z"})
    scored(path, base, Asked(retokenize=True), of=[run])
    sql = "SELECT temperature, top_p, top_k, count(*) FROM likelihood JOIN sample USING (sample_id) WHERE run_id = 2 GROUP BY 1"
    own = decodings_of(runs_of(path)[0])[-1]
    assert own.top_p < 1
    assert asking(path, sql) == [(own.temperature, own.top_p, own.top_k, 2), (1.0, 1.0, 0, 2)]
    assert scored(path, base, Asked(retokenize=True), of=[run]) == ScoredRuns()


def test_problems_that_the_scorer_was_never_asked_are_told_and_left_out(tmp_path: Path, base: Path, rl: Path) -> None:
    path = tmp_path / "s.db"
    model = Model(base.name, content_revision(base), Role.BASE)
    with Writer(path, "test") as writer:
        plan = Plan(model, Opening(base), PROBLEMS[:3], Template("{problem}"), Manner(PAPER, 30), 1)
        sample(writer, plan)
    run = imported(path, {"2": "3", "3": "4", "4": "5"})
    found = scored(path, base, Asked(retokenize=True), of=[run])
    assert (found.responses, found.left_out) == (1, 2)
    assert "2 responses of" in found.notes[0]
    assert "2 of its problems have no prompt" in found.notes[0]
    with pytest.raises(NotFound, match="no run of rl on b has prompts"):
        scored(path, rl, Asked(retokenize=True), of=[run])
    (drawn, _) = runs_of(path)
    assert scored(path, rl, Asked(retokenize=True, prompt_of=drawn), of=[run]).responses == 1


def test_of_own_runs_with_unlike_prompts_one_must_be_named(tmp_path: Path, base: Path) -> None:
    path = tmp_path / "s.db"
    model = Model(base.name, content_revision(base), Role.BASE)
    with Writer(path, "test") as writer:
        for template in ("{problem}", "{problem} "):
            sample(writer, Plan(model, Opening(base), PROBLEMS, Template(template), Manner(PAPER, 30), 1))
    run = imported(path, {"2": "3"})
    with pytest.raises(NotFound, match=r"different prompts .*--prompt-of"):
        scored(path, base, Asked(retokenize=True), of=[run])
    assert scored(path, base, Asked(retokenize=True, prompt_of=runs_of(path)[1]), of=[run]).responses == 1


def test_responses_longer_than_the_scorer_reads_are_left_out_and_told(tmp_path: Path, base: Path) -> None:
    path = tmp_path / "s.db"
    sampled(path, base)
    short = save_model(tmp_path / "short", seed=3, max_position_embeddings=20)
    lengths = [len((one.prompt or []) + (one.ids or [])) for one in asking_ids(path)]
    over = [length for length in lengths if length > 20]
    assert 0 < len(over) < 30
    found = scored(path, short)
    assert (found.responses, found.left_out) == (30 - len(over), len(over))
    (note,) = found.notes
    assert f"{len(over)} response" in note
    assert f"{max(over)} tokens" in note
    assert "the 20 positions of short" in note
    assert scored(path, short).left_out == len(over)


def asking_ids(path: Path) -> list[Any]:
    with Study(path) as study:
        return to_score(study, range(1, 31))


def test_other_stop_tokens_and_another_template_are_told(tmp_path: Path, base: Path) -> None:
    from transformers import AutoTokenizer

    path = tmp_path / "s.db"
    sampled(path, base, 1)
    assert scored(path, base).notes == ()
    other = save_model(tmp_path / "other", seed=3, eos_token_id=[0, 5])
    (note,) = scored(path, other).notes
    assert "stop tokens <end> (0), the scorer has <end> (0), 4 (5)" in note
    assert "without the stop token" in note
    chats = save_model(tmp_path / "chats", seed=3)
    tokenizer = AutoTokenizer.from_pretrained(chats)
    tokenizer.chat_template = "{% for message in messages %}{{ message['content'] }}{% endfor %}"
    tokenizer.save_pretrained(chats)
    model = Model("chats", content_revision(chats))
    with Writer(path, "test") as writer:
        sample(writer, Plan(model, Opening(chats), PROBLEMS, Template("{problem}", chat=True), Manner(PAPER, 30), 1))
    (note,) = scored(path, base, of=runs_of(path)[1:]).notes
    assert "asked in a chat template, and the scorer has none" in note
    assert scored(path, chats).notes == ()


def test_imported_runs_have_no_ids_to_score(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    with Writer(path, "test") as writer:
        writer.add_traces(source(writer), answers(["a", "b"]))
        with Study(path) as study, pytest.raises(NotFound, match=r"2 samples of .* have no token ids"):
            score(writer, Judge(Model("m"), Opening(tmp_path)), study.runs())


# -- scorers that know temperature 1 alone -------------------------------------------------------------------------------------


class Plain(TransformersScorer):
    """As a server tells: log-probabilities at temperature 1, and no more."""

    opened = 0

    def __init__(self, opening: Opening) -> None:
        Plain.opened += 1
        super().__init__(opening)
        self.facts = replace(self.facts, scorer="server", plain_only=True)

    def score(self, responses: Iterable[Response], decodings: Sequence[Decoding]) -> Iterator[Scored]:
        assert list(decodings) == [PLAIN]
        for one in super().score(responses, decodings):
            yield Scored(one.sample_id, one.logp)


def test_what_a_scorer_cannot_tell_is_unknown_and_not_lacking_for_ever(
    tmp_path: Path, base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(SCORERS, "server", Entry(f"{__name__}:Plain", "a server"))
    path = tmp_path / "s.db"
    model = sampled(path, base, 2)
    judge = Judge(model, Opening(base), "server")
    with Writer(path, "test") as writer:
        assert score(writer, judge, runs_of(path), Asked(tokens="problem:1")).responses == 10
        opened = Plain.opened
        assert score(writer, judge, runs_of(path), Asked(tokens="problem:1")) == ScoredRuns()
        assert Plain.opened == opened
        columns = "count(*), max(temperature), max(entropy), max(first_choices), max(edge), max(lowest) < 0"
        assert asking(path, f"SELECT {columns} FROM likelihood") == [(10, 1.0, None, None, None, 1)]
        with Study(path) as study:
            (found,) = token_scores(study, detailed(path)[0])
        assert (found.scores.entropy, found.scores.decoded, found.scores.edge, found.scores.others) == (None, None, None, None)
        # Who knows more still lacks it; and what that one gave is all a server could.
        assert score(writer, Judge(model, Opening(base)), runs_of(path), Asked(tokens="")).responses == 10
        assert asking(path, "SELECT count(*), max(entropy) > 0 FROM likelihood") == [(20, 1)]
        assert score(writer, judge, runs_of(path), Asked(tokens="")) == ScoredRuns()
