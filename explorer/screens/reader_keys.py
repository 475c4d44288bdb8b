"""The Reader's keys: they work on the screen that reads one trace, and on the audit's."""

from __future__ import annotations

from typing import Final

from textual.binding import Binding, BindingType

_SAMPLE, _STEP, _PROBLEM, _MATCH, _REASON, _FORK = (
    Binding.Group(word) for word in ("sample", "step", "problem", "match", "mark", "fork")
)

KEYS: Final[list[BindingType]] = [
    Binding(
        "right_square_bracket",
        "sample(1)",
        "next",
        key_display="]",
        group=_SAMPLE,
        id="reader.next_sample",
        tooltip="Next sample of the list",
    ),
    Binding(
        "left_square_bracket",
        "sample(-1)",
        "previous",
        key_display="[",
        group=_SAMPLE,
        id="reader.previous_sample",
        tooltip="Previous sample",
    ),
    Binding(
        "right_curly_bracket",
        "step(1)",
        "next step",
        key_display="}",
        group=_STEP,
        id="reader.next_step",
        tooltip="Next step of the reasoning",
    ),
    Binding(
        "left_curly_bracket",
        "step(-1)",
        "previous step",
        key_display="{",
        group=_STEP,
        id="reader.previous_step",
        tooltip="Previous step",
    ),
    Binding("0", "digits", "label", key_display="1-8", id="label.digits", tooltip="Label this trace; 0 says each digit's word"),
    Binding(
        "/",
        "search",
        "search",
        key_display="/",
        id="reader.search",
        tooltip="Search in this trace; capitals count if you type some",
    ),
    Binding(
        "J",
        "problem(1)",
        "next problem",
        group=_PROBLEM,
        id="reader.next_problem",
        tooltip="Next problem, same run, a correct trace first",
    ),
    Binding("K", "problem(-1)", "previous problem", group=_PROBLEM, id="reader.previous_problem", tooltip="Previous problem"),
    Binding(
        "n", "match(1)", "next match", show=False, group=_MATCH, id="reader.next_match", tooltip="Next match of the search"
    ),
    Binding(
        "N",
        "match(-1)",
        "previous match",
        show=False,
        group=_MATCH,
        id="reader.previous_match",
        tooltip="Previous match",
    ),
    Binding(
        "full_stop",
        "reason(1)",
        "next mark",
        key_display=".",
        group=_REASON,
        id="reader.next_reason",
        tooltip="To the next place that is marked wrong or doubtful",
    ),
    Binding(
        "comma",
        "reason(-1)",
        "previous mark",
        key_display=",",
        group=_REASON,
        id="reader.previous_reason",
        tooltip="To the place marked before",
    ),
    Binding(
        "l",
        "likelihood",
        "likelihood",
        show=False,
        id="reader.likelihood",
        tooltip="Shade the tokens by what the models think of them: surprisal, then where they part, then not at all",
    ),
    Binding(
        "greater_than_sign",
        "fork(1)",
        "next fork",
        show=False,
        key_display=">",
        group=_FORK,
        id="reader.next_fork",
        tooltip="To the next token where the model would rather have another one, and what it would have",
    ),
    Binding(
        "less_than_sign",
        "fork(-1)",
        "previous fork",
        show=False,
        key_display="<",
        group=_FORK,
        id="reader.previous_fork",
        tooltip="To the fork before",
    ),
    Binding(
        "F",
        "decisive",
        "decisive fork",
        show=False,
        id="reader.decisive_fork",
        tooltip="To the fork that decides most, where the other model falls or is surprised furthest; again: the next in rank",
    ),
    Binding(
        "equals_sign",
        "compare",
        "compare",
        key_display="=",
        id="reader.compare",
        tooltip="Beside a trace of the other run, step by step",
    ),
    Binding("t", "statement", "statement", id="reader.statement", tooltip="Show or hide the full statement, and its images"),
    Binding(
        "tab,shift+tab",
        "app.focus_next",
        "focus",
        show=False,
        key_display="Tab",
        id="reader.focus",
        tooltip="Where t has opened the statement: scroll that, or the response again",
    ),
    Binding("m", "raw", "raw", id="reader.raw", tooltip="The text as it came: no gutter, every unseen character spelled out"),
    Binding(
        "escape",
        "back",
        "back",
        key_display="Esc",
        id="reader.back",
        tooltip="Close the token, drop the search, else back to the list",
    ),
]
