"""The scorer over HTTP against a real server of vLLM's on this machine: the numbers of a plain forward pass."""

from __future__ import annotations

import pytest

from engine import likelihood
from engine.decoding import PLAIN
from engine.likelihood.base import Response
from engine.samplers.base import Opening, SamplerError
from sample_data import BASE
from tests.vllm.test_vllm_scorer import CAP, CLOSE, FILLING, by_id, furthest, plain_model, reference, responses
from tests.vllm.test_vllm_server import url

__all__ = ["url"]


def test_a_real_server_scores_as_a_plain_forward_pass_in_float64(url: str) -> None:
    model, text = plain_model(), [token for one in responses(20) for token in one.ids]
    full = [Response(100 + n, text[:before], text[before : CAP - short], True) for n, (before, short) in enumerate(FILLING)]
    wanted = [*responses(30), *full]
    with likelihood.load_scorer("server", Opening(BASE.path, url=url)) as scorer:
        assert scorer.facts.context_cap == CAP, "the last token of a full context is drawn"
        assert scorer.facts.detail == "served as tiny; log-probabilities by prompt_logprobs"
        found = by_id(scorer.score(wanted, [PLAIN]))
        with pytest.raises(SamplerError, match="has 257 tokens with its prompt"):
            list(scorer.score([Response(1, (5,), (5,) * CAP)], [PLAIN]))
    assert furthest(found, wanted, model) < CLOSE
    for one in full:
        table = reference(model, one)
        first, others = found[one.sample_id].first, found[one.sample_id].others
        assert first is not None
        assert first.tolist() == [table[place][token] == table[place].max() for place, token in enumerate(one.ids)]
        assert others is not None
        for place, told in others.items():
            best = table[place].argsort()[::-1][:2].tolist()
            assert told[0].token_id == next(token for token in best if token != one.ids[place])


@pytest.mark.parametrize("form", ["echo", "echo and one token"])
def test_an_echo_of_the_real_server_is_read_as_well(url: str, form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from engine.likelihood import told

    monkeypatch.setattr("engine.likelihood.trying.FORMS", tuple(one for one in told.FORMS if one.title == form))
    wanted = responses(10, detailed=True)
    with likelihood.load_scorer("server", Opening(BASE.path, url=url)) as scorer:
        assert scorer.facts.detail.endswith(form)
        found = by_id(scorer.score(wanted, [PLAIN]))
    assert furthest(found, wanted, plain_model()) < CLOSE
    assert all(one.others for one in found.values())
