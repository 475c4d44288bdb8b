r"""The one regular expression that cuts a response into marks: what each alternative stands for is its group's name.

Plain text, Markdown, LaTeX and LaTeX inside JSON (every backslash twice) are met in one text. The order matters: the first
alternative that fits is taken. No alternative repeats what can itself repeat, so the cut is linear in the text.
"""

from __future__ import annotations

import re
from typing import Final

_INDEX: Final = r"(?:_(?:\{[^{}\n]{1,20}\}|[A-Za-z0-9]))?"
_END: Final = r"(?![A-Za-z])"
"""Behind a LaTeX command's name."""


def _command(names: str) -> str:
    return rf"\\{{1,2}}(?:{names}){_END}"


_SILENT: Final = "left|right|displaystyle|textstyle|[bB]igg?[lr]?|limits|nonumber|boxed|fbox|mathbf|mathrm|mathit|textbf|bm"
_TEXT: Final = "text|textrm|textit|mbox|operatorname|mathrm|texttt|textsf|textnormal"
_RELATIONS: Final = (
    "n?eq|ne|leq?|geq?|lt|gt|leqslant|geqslant|equiv|cong|sim|propto|in|implies|iff|(?:Long|long)?(?:[Rr]ight|[Ll]eft|[Ll]eftright)arrow"
    "|to|mid|nmid|therefore|because"
)
_GREEK: Final = "alpha|beta|gamma|delta|theta|lambda|mu|nu|rho|sigma|tau|phi|varphi|Delta|epsilon"
_SPOKEN: Final = "times|multiplied|divided|plus|minus|sqrt|percent|equals?|is|are"
_BEFORE_OPERAND: Final = r"(?=[ \t]?[\d($\\])"

_MARKS: Final = (
    ("space", r"[ \t\r\u00a0\u2009\u202f]+|\\{1,2}[,;:!](?!\d{3}(?!\d))|(?<!\\)\\ |~(?=[^~])|&(?!\w+;)"),
    ("plain", rf"(?!(?:{_SPOKEN}){_END})[A-Za-z]{{2,}}(?![\w'’-])"),
    ("calculator", r"<<[^<>\n]{0,200}>>"),
    ("spacing", r"\\\\\[\s?-?[\d.]+\s?(?:pt|ex|em|mm|cm)\s?\]"),
    ("bullet", r"(?m:(?<=\n)|(?<=\\n)|\A)[ \t]*(?:(?:[-*+•–]|\d{1,3}[.)]|\(\d{1,2}\)|#{1,6}|>)[ \t]+)+"),
    ("latexword", rf"\\{{1,2}}(?:{_TEXT})\s?\{{(?P<inner>[^{{}}$\\=]*)\}}"),
    ("ignored", _command(_SILENT) + r"\.?"),
    ("currency", r"\\{1,2}\$|[£€¥₹]|" + _command("pounds|euro")),
    ("degree", r"\^\s?\{?\s?\\{1,2}circ\s?\}?|°|" + _command("degree")),
    ("fraction", _command("[dtc]?frac")),
    ("root", _command("sqrt") + r"|√|(?<![A-Za-z\\])sqrt(?=\s?[(\[{])"),
    ("binomial", _command("[dt]?binom")),
    ("times", _command("times|cdot") + rf"|[×·⋅✕✖]|(?<![A-Za-z])(?:times|multiplied by){_BEFORE_OPERAND}"),
    ("divide", _command("div") + rf"|÷|(?<![A-Za-z])divided by{_BEFORE_OPERAND}"),
    ("plusword", rf"(?<![A-Za-z])plus{_BEFORE_OPERAND}"),
    ("minusword", rf"(?<![A-Za-z])minus{_BEFORE_OPERAND}"),
    ("cross", r"(?<![A-Za-z\\_^{])[xX](?=[ \t]?\$?\.?\d|[ ]\()"),
    ("percent", rf"\\{{0,2}}%|(?<![A-Za-z])percent{_END}"),
    (
        "about",
        _command("approx|simeq|thickapprox")
        + r"|[≈≃≅]|=\s?(?:\\{1,2}text\{)?\s?(?:approximately|approx\.?|about|roughly|around|nearly|almost|~)(?![A-Za-z])\s?\}?",
    ),
    ("relation", _command(_RELATIONS) + r"|[≠≤≥≡→⇒⟹⇔↔←∈∝∴∼]|=>|<=>|->|-->|<=|>=|!==?|:=|={2,3}|[-+*/%]=|<>|<|>"),
    ("equal", rf"=|(?<![A-Za-z])(?:(?:is|are) )?equals?(?: to)?{_END}"),
    # A line's end, also as JSON leaves it behind (\n); \neq, \nu and \ne are commands, \nThe is a new line.
    ("newline", r"\n|\\n(?![a-z]{2}|u(?![A-Za-z])|e(?![A-Za-z]))|\\\\(?![A-Za-z()\[\]])|\\n(?=[a-z]{2})"),
    ("fence", r"\\{1,2}[()]|\$(?!\$)"),
    (
        "delimiter",
        r"\\{1,2}[\[\]]|\$\$|\\{1,2}(?:begin|end)\{[A-Za-z*]{1,20}\}(?:\{[^{}\n]{0,40}\})?|\*\*\*|~~|" + _command("q?quad"),
    ),
    ("pi", _command("pi") + "|π"),
    ("greek", _command(_GREEK) + _INDEX),
    # Dates, times, ratios, versions, repeating decimals, 5-digit, 5th, numbers to a base, feet and inches.
    (
        "date",
        r"\d+/\d+/\d+|\d+:\d+|\d+ : \d+|\d+(?:\.\d+){2,}|\d+\.(?=\\)"
        r"|\d+-(?=[A-Za-z]{2})|\d+(?:st|nd|rd|th)(?![A-Za-z])|\d+_|\d+['’]\s?\d",
    ),
    ("elided", r"!!+|\.\.\.+|…|\\{1,2}[lcdv]?dots[a-z]?(?![A-Za-z])"),
    (
        "number",
        r"(?:\d{1,3}(?:(?:,(?:\\{1,2}!)?|\{,\}|\\{1,2},|\\!,)\d{3})+(?!\d)|\d+)(?:\.\d+)?(?:[eE][-+]?\d{1,3}(?![\w.]))?|\.\d+",
    ),
    ("raised", r"[²³⁴⁵⁶⁷⁸⁹]"),
    ("stars", r"\*\*"),
    ("sign", r"[-+*/^!|()\[\]{}−∗⁄–]"),
    ("comma", r"[,;]"),
    ("ask", r"\?"),
    ("end", r"[.:\"“”`—]|(?<![A-Za-z)])'(?![a-z])"),
    (
        "variable",
        rf"(?<![A-Za-z0-9_\\])[A-Za-z]{_INDEX}(?![A-Za-z0-9_'’])|(?<=\d)[a-zA-Z]{_INDEX}(?![A-Za-z0-9_])",
    ),
    ("word", r"[^\W\d_](?:[^\W\d_]|['’](?=[a-z]))*(?:-[^\W\d_]+)*(?!\w)"),
    ("bad", r"\\{1,2}[A-Za-z]+|\w+|\S"),
)

MARK: Final = re.compile("|".join(f"(?P<{name}>{pattern})" for name, pattern in _MARKS))
INDEXED: Final = re.compile(r"(?<![\d\w^_{\\])[xX]\d")
"""x1 and x2 are unknowns of a text: its 3x2 is no product of numbers."""
