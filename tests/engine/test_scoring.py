"""The stage `score`: against one plain forward pass a response, resumed, and refused where ids mean nothing."""

from __future__ import annotations

from dataclasses import replace
from math import exp, inf, nan
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM

from engine import scoring
from engine.analyses.perplexity import perplexities
from engine.decoding import PLAIN, Decoding, log_probabilities
from engine.prompts import Template
from engine.samplers.base import Manner, Opening, SamplerError
from engine.sampling import Plan, content_revision, sample
from engine.scoring import Judge, find_scorer, score
from store import measures
from store.errors import NotFound
from store.measures import LikelihoodRow
from store.reader import Study
from store.types import Model, Outcome, Problem, Role
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


def sampled(path: Path, folder: Path, n: int = 6) -> Model:
    model = Model(folder.name, content_revision(folder), Role.BASE)
    with Writer(path, "test") as writer:
        sample(writer, Plan(model, Opening(folder), PROBLEMS, Template("{problem}"), Manner(PAPER, 30), n))
    return model


def test_sums_are_those_of_one_plain_forward_pass_a_response(tmp_path: Path, models: tuple[Path, Path]) -> None:
    base, rl = models
    path = tmp_path / "s.db"
    sampled(path, base)
    with Study(path) as study:
        judge = Judge(find_scorer(study, rl), rl)
        (run,) = study.runs()
        (wanted,) = measures.to_score(study, run.run_id, judge.model, (1, 1, 0), 1000)
    with Writer(path, "test") as writer:
        assert score(writer, judge, [run]) == 30
        assert score(writer, judge, [run]) == 0
    plain = AutoModelForCausalLM.from_pretrained(rl, dtype=torch.float64, attn_implementation="eager")
    with Study(path) as study:
        stored = {
            (sample_id, temperature): rest
            for sample_id, temperature, *rest in study.query(
                "SELECT sample_id, temperature, tokens, logp, outside, stop_logp FROM likelihood"
            )
        }
    assert len(stored) == 60
    for one in wanted:
        with torch.no_grad():
            logits = plain(torch.tensor([one.prompt + one.ids])).logits[0, len(one.prompt) - 1 : -1]
        for decoding in (PLAIN, PAPER):
            logp = log_probabilities(logits, decoding).gather(-1, torch.tensor(one.ids)[:, None])[:, 0]
            tokens, total, outside, stop = stored[one.sample_id, decoding.temperature]
            assert tokens == len(one.ids)
            assert outside == int((logp == -inf).sum())
            assert total == (None if outside else pytest.approx(logp.sum().item(), abs=1e-5 * tokens))
            assert stop == (pytest.approx(logp[-1].item(), abs=1e-5) if one.stopped and logp[-1] > -inf else None)


def test_a_model_can_always_emit_what_it_drew(tmp_path: Path, models: tuple[Path, Path]) -> None:
    path = tmp_path / "s.db"
    model = sampled(path, models[0])
    with Writer(path, "test") as writer, Study(path) as study:
        assert find_scorer(study, models[0]) == model
        score(writer, Judge(model, models[0]), study.runs())
        (summary,) = perplexities(measures.likelihoods(study))
    assert summary.supported == 1.0
    assert summary.responses == 30
    assert summary.median >= 1


def test_a_stopped_scoring_goes_on_where_it_was(
    tmp_path: Path, models: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "s.db"
    model = sampled(path, models[0])
    monkeypatch.setattr(scoring, "BATCH", 7)

    class Stop(Exception):
        pass

    def stop(done: int, total: int) -> None:
        assert total == 30
        if done >= 14:
            raise Stop

    with Writer(path, "test") as writer, Study(path) as study:
        with pytest.raises(Stop):
            score(writer, Judge(model, models[0]), study.runs(), stop)
        assert study.query("SELECT count(*) FROM likelihood") == [(28,)]
        assert score(writer, Judge(model, models[0]), study.runs()) == 16
        assert study.query("SELECT count(*), count(DISTINCT sample_id) FROM likelihood") == [(60, 30)]


def test_another_vocabulary_is_refused(tmp_path: Path, models: tuple[Path, Path]) -> None:
    path = tmp_path / "s.db"
    sampled(path, models[0], 1)
    stranger = save_model(tmp_path / "stranger", letters=LETTERS[::-1])
    with Writer(path, "test") as writer, Study(path) as study:
        with pytest.raises(SamplerError, match="another vocabulary"):
            score(writer, Judge(find_scorer(study, stranger), stranger), study.runs())
        assert study.query("SELECT count(*) FROM likelihood") == [(0,)]


def test_imported_runs_have_no_ids_to_score(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    with Writer(path, "test") as writer:
        writer.add_traces(source(writer), answers(["a", "b"]))
        with Study(path) as study, pytest.raises(NotFound, match=r"2 samples of .* have no token ids"):
            score(writer, Judge(Model("m"), tmp_path), study.runs())


def test_perplexity_is_per_token_and_support_is_at_the_run_s_decoding() -> None:
    plain = LikelihoodRow(1, "base", "r", 1.0, 1.0, 0, Outcome.CORRECT, 4, -8.0, 0)
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
