r"""Where the maths of a text is. Dollar signs are prices until they prove to be maths."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator

from explorer.render.code import quoted
from explorer.render.maths.blocks import ENVIRONMENTS

Place = tuple[int, int, int, int, bool]
"""Start and end with the delimiters, between them where the expression itself begins and ends, and whether it is display."""

_LONGEST_INLINE = 2000
_LONGEST = 6000
_OPENS = re.compile(r"\\\\|\\\$|\\\(|\\\[|\\(?:boxed|fbox)\s?(?=\{)|\\begin\{([a-zA-Z]{1,12}\*?)\}|\$\$?")
_DOLLARS = re.compile(r"\\(?:text|mbox|textrm|textbf)\{[^{}]{0,200}\}|\\.|\$\$?|\n[ \t]*\n", re.S)
"""Words within maths may hold dollar signs of their own."""
_BRACES = re.compile(r"\\.|[{}]", re.S)
_COMMANDS = re.compile(r"\\(?:text|mbox|textbf|textit|mathrm|operatorname|textrm|mathbf|begin|end)\s*\{[^{}]*\}|\\[A-Za-z]+")
_WORD = re.compile(r"[a-z]{2,}")
_PROSE = re.compile(r"(?<![A-Za-z])(?!(?:sin|cos|tan|log|ln|max|min|gcd|lcm|mod)\b)[A-Za-z]{2,}[,;:.]?\s+(?:[a-z]{2,}|I)\b")


def found(text: str) -> Iterator[Place]:
    """The expressions in order, not overlapping; whether they can be rendered is another question."""
    finder = _Finder(text)
    code = quoted(text)
    ends = [end for _, end in code]
    at = 0
    while (opened := _OPENS.search(text, at)) is not None:
        at = opened.end()
        place = bisect_right(ends, opened.start())
        if place < len(code) and code[place][0] <= opened.start():
            at = code[place][1]
            continue
        one = finder.close(opened)
        if one is not None:
            yield one
            at = one[3]


class _Finder:
    """Finds what closes an expression; what has been looked up once is kept, so that unclosed ones stay cheap."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._next: dict[str, int] = {}
        self._braces: dict[int, int] | None = None

    def close(self, opened: re.Match[str]) -> Place | None:
        sign, start, inner = opened[0], opened.start(), opened.end()
        if sign[0] == "$":
            return self._dollars(start, inner, sign)
        if sign in ("\\(", "\\["):
            return self._bracketed(start, inner, sign)
        if sign.startswith(("\\boxed", "\\fbox")):
            end = self._brace(inner)
            return None if end is None or end - start > _LONGEST_INLINE else (start, start, end, end, False)
        if opened[1] in ENVIRONMENTS:
            closer = f"\\end{{{opened[1]}}}"
            end = self._after(closer, inner)
            return None if end - start > _LONGEST else (start, start, end, end, True)
        return None

    def _after(self, closer: str, place: int) -> int:
        """The end of the next `closer`; far away where there is none."""
        if self._next.get(closer, -1) < place:
            at = self._text.find(closer, place)
            self._next[closer] = at if at >= 0 else len(self._text) + 2 * _LONGEST
        return self._next[closer] + len(closer)

    def _bracketed(self, start: int, inner: int, sign: str) -> Place | None:
        display = sign == "\\["
        end = self._after("\\]" if display else "\\)", inner)
        # One that opens inside of this one: this one is never closed.
        if end - start > (_LONGEST if display else _LONGEST_INLINE) or self._after(sign, inner) < end:
            return None
        if not display and "\n\n" in self._text[inner:end]:
            return None
        return start, inner, end - 2, end, display

    def _dollars(self, start: int, inner: int, sign: str) -> Place | None:
        limit = inner + (_LONGEST if len(sign) == 2 else _LONGEST_INLINE)
        at = inner
        while (match := _DOLLARS.search(self._text, at, limit)) is not None:
            token = match[0]
            if token[0] == "\n":
                return None
            if token == sign:
                place = start, inner, match.start(), match.end(), len(sign) == 2
                return place if self._is_maths(place) else None
            if token in {"$$", "$"}:
                return None
            at = match.end()
        return None

    def _is_maths(self, place: Place) -> bool:
        start, inner, inner_end, end, display = place
        body = self._text[inner:inner_end]
        if display or not body.strip():
            return bool(body.strip())
        before, after = self._text[start - 1 : start], self._text[end : end + 1]
        # US$5 and $a,$b, which no maths would be.
        named = (before.isalpha() and body[0].isdecimal()) or (after.isalpha() and body[-1] in ",;:(=+-*/")
        return not after.isdecimal() and not named and _reads_as_maths(body)

    def _brace(self, place: int) -> int | None:
        """The end of the group that opens at `place`; the text's braces are paired once."""
        if self._braces is None:
            self._braces = {}
            stack: list[int] = []
            for match in _BRACES.finditer(self._text):
                if match[0] == "{":
                    stack.append(match.start())
                elif match[0] == "}" and stack:
                    self._braces[stack.pop()] = match.end()
        return self._braces.get(place)


def _reads_as_maths(body: str) -> bool:
    """Whether what stands between two dollar signs is maths, and not what is said between two prices."""
    bare = _COMMANDS.sub(" ", body) if "\\" in body else body
    stripped = body.strip()
    price = stripped[0].isdecimal()
    if _PROSE.search(bare) or (price and stripped[-1] in "(=+-*/"):
        return False
    padded = body[0].isspace() + body[-1].isspace()
    if not padded:
        return True
    # A blank at one side only is how two prices look, and words between blanks are no maths.
    return not _WORD.search(bare) and (padded == 2 or any(sign in body for sign in ("\\^_" if price else "\\^_=")))
