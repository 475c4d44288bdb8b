"""Prompts: a statement in its template, by the tokenizer's own rules, and its chat template where that is asked for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tokenizers import processors
from transformers import AutoTokenizer

from engine.prompts import NO_CHAT, PromptError, Template, chat_template_digest, load_tokenizer, render
from sample_data import BASE

BOS = "<|begin|>"
CHAT = (
    "{{ bos_token }}{% for message in messages %}"
    "{% if message['role'] == 'system' and '!' in message['content'] %}{{ raise_exception('no shouting') }}{% endif %}"
    "<|{{ message['role'] }}|>{{ message['content'] | trim }}<|end|>"
    "{% endfor %}{% if add_generation_prompt %}<|assistant|>{% endif %}"
)
STATEMENT = "A box holds 3 red and 4 blue pens.\nHow many?"


@pytest.fixture(scope="module")
def chatty(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The bundled tokenizer with a chat template, and a first token that it puts before every text."""
    folder = tmp_path_factory.mktemp("chatty")
    tokenizer: Any = AutoTokenizer.from_pretrained(BASE.path)
    tokenizer.add_special_tokens({"bos_token": BOS, "additional_special_tokens": ["<|user|>", "<|system|>", "<|assistant|>"]})
    tokenizer.backend_tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{BOS} $A", special_tokens=[(BOS, tokenizer.bos_token_id)]
    )
    tokenizer.chat_template = CHAT
    tokenizer.save_pretrained(folder)
    return load_tokenizer(folder)


@pytest.mark.parametrize("system", [None, "Answer in a box."])
def test_a_chat_is_what_the_tokenizer_itself_makes_of_it(chatty: Any, system: str | None) -> None:
    prompt = render(chatty, Template("{problem}\nShow your work.", chat=True, system=system), STATEMENT)
    messages = [{"role": "user", "content": f"{STATEMENT}\nShow your work."}]
    messages[:0] = [{"role": "system", "content": system}] if system else []
    theirs = chatty.apply_chat_template(messages, tokenize=True, add_generation_prompt=True, return_dict=True)
    assert list(prompt.ids) == theirs["input_ids"]
    assert prompt.text == chatty.decode(prompt.ids)
    assert prompt.text.endswith("<|end|><|assistant|>")
    assert ("<|system|>" in prompt.text) is (system is not None)


def test_the_first_token_stands_there_once_with_and_without_a_chat(chatty: Any) -> None:
    for template in (Template("{problem}"), Template("{problem}", chat=True)):
        ids = render(chatty, template, STATEMENT).ids
        assert (ids[0], ids.count(chatty.bos_token_id)) == (chatty.bos_token_id, 1)


def test_without_a_chat_the_text_is_encoded_as_the_tokenizer_does(chatty: Any) -> None:
    prompt = render(chatty, Template("Q: {problem}\nA: {problem}"), "x {y}")
    assert prompt.text == "Q: x {y}\nA: x {y}"
    assert list(prompt.ids) == chatty(prompt.text)["input_ids"]


def test_what_cannot_be_a_prompt_is_refused_in_words(chatty: Any) -> None:
    with pytest.raises(PromptError, match=r"no \{problem\} in it"):
        Template("Q:")
    with pytest.raises(PromptError, match="system message but is no chat"):
        Template("{problem}", system="Be brief.")
    with pytest.raises(PromptError, match="has no chat template; leave chat out"):
        render(load_tokenizer(BASE.path), Template("{problem}", chat=True), "1?")
    with pytest.raises(PromptError, match="refuses the prompt: no shouting"):
        render(chatty, Template("{problem}", chat=True, system="BE BRIEF!"), "1?")


def test_a_folder_without_a_tokenizer_is_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(PromptError, match="no tokenizer that can be loaded"):
        load_tokenizer(tmp_path)


def test_chat_templates_are_told_apart_by_what_they_say(chatty: Any) -> None:
    assert chat_template_digest(load_tokenizer(BASE.path)) == NO_CHAT
    digest = chat_template_digest(chatty)
    assert digest.startswith("sha256:")
    other = load_tokenizer(BASE.path)
    other.chat_template = CHAT
    assert chat_template_digest(other) == digest
    other.chat_template = CHAT + " "
    assert chat_template_digest(other) != digest
