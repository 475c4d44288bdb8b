r"""From tokens to an expression: as much as reads as one, with the unit words that stand among its numbers.

    read(tokens of "3 bags * 5 apples = 15", 0)  ->  Read(node 3 * 5, stop at "=", words {bags, apples})

Times, division and powers bind as in school; \frac, \sqrt, \binom, |x|, 5!, 5%, 1 1/2, 2(3+4), 2x, "5% of 200" are understood.
Brackets are matched beforehand, nesting and length are bounded: linear time, no deep recursion.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Final

from engine.luck.cursor import Cursor, NotAnExpressionError, Read
from engine.luck.expressions import Call, Mixed, Name, Node, Number, Power, Product, Root, Sum, is_share
from engine.luck.tokens import Sort, Token

_DEEPEST: Final = 24
"""Brackets within brackets."""
_PRODUCTS: Final = frozenset("xyzabcnmktrX")
"""Letters that multiply what follows in brackets; f(3) is a call."""


class Reader(Cursor):
    """Reads expressions from one list of tokens."""

    def read(self, start: int) -> Read | None:
        """The longest expression that begins at tokens[start], or None."""
        self._begin(start)
        try:
            node = self._sum(0)
        except NotAnExpressionError:
            return None
        return Read(node, start, self._last, self._at, frozenset(self._words), self._spaced)

    def _sum(self, depth: int) -> Node:
        if depth > _DEEPEST:
            raise NotAnExpressionError
        terms = [self._term(depth)]
        while self._at < self._limit and (sign := self._sign_between()) is not None:
            back = self._mark()
            self._at += 1
            try:
                following, term = self._term(depth)
            except NotAnExpressionError:
                self._return(back)
                break
            terms.append((sign * following, term))
        return terms[0][1] if len(terms) == 1 and terms[0][0] > 0 else Sum(tuple(terms))

    def _sign_between(self) -> int | None:
        return {Sort.PLUS: 1, Sort.MINUS: -1}.get(self.sort(self._at))  # type: ignore[arg-type]

    def _term(self, depth: int) -> tuple[int, Node]:
        """A product with its leading signs."""
        sign = 1
        while (following := self._sign_between()) is not None:
            sign *= following
            self._at += 1
            if self._at >= self._limit:
                raise NotAnExpressionError
        return sign, self._product(depth)

    def _product(self, depth: int) -> Node:
        factors = [("", self._factor(depth))]
        while self._at < self._limit:
            back = self._mark()
            operator = self._operator(factors[-1][1])
            if operator is None:
                break
            try:
                factors.append((operator, self._signed_factor(depth) if operator else self._factor(depth)))
            except NotAnExpressionError:
                self._return(back)
                break
        return factors[0][1] if len(factors) == 1 else Product(tuple(factors))

    def _operator(self, before: Node) -> str | None:
        """Step over what multiplies or divides; "" for nothing between, None where the product ends."""
        token = self.tokens[self._at] if self._at < len(self.tokens) else None
        if token is None:
            return None
        if token.sort in {Sort.TIMES, Sort.DIVIDE}:
            self._at += 1
            return token.sort.value
        if token.sort is Sort.WORD and token.text == "of" and is_share(before) and self.sort(self._at + 1) in _STARTS:
            self._at += 1
            return "*"
        return "" if self._is_juxtaposed(token, before) else None

    def _is_juxtaposed(self, token: Token, before: Node) -> bool:
        if token.sort is Sort.OPEN and token.text != "[":
            if isinstance(before, Name) and (before.name not in _PRODUCTS or token.spaced):
                raise NotAnExpressionError
            self._spaced = self._spaced or token.spaced
            return self._at in self.partner
        previous = self.tokens[self._at - 1].sort
        if token.sort in {Sort.NAME, Sort.ROOT, Sort.BINOMIAL}:
            return not (token.fenced or (token.spaced and token.text in {"a", "A", "I"}))
        return token.sort is Sort.FRACTION and previous in {Sort.NAME, Sort.CLOSE}

    def _signed_factor(self, depth: int) -> Node:
        if self.sort(self._at) in {Sort.MINUS, Sort.PLUS}:
            negative = self.sort(self._at) is Sort.MINUS
            self._at += 1
            inner = self._factor(depth)
            return Sum(((-1, inner),)) if negative else inner
        return self._factor(depth)

    def _factor(self, depth: int) -> Node:
        node = self._postfix(self._atom(depth))
        if self.sort(self._at) is Sort.POWER:
            node = self._postfix(Power(node, self._exponent(depth)))
            if self.sort(self._at) is Sort.POWER:
                raise NotAnExpressionError
        self._last = self._at - 1
        self._take_words()
        return node

    def _exponent(self, depth: int) -> Node:
        token = self.tokens[self._at]
        self._at += 1
        if token.value is not None:
            return Number(token.value)
        sign = -1 if self.sort(self._at) is Sort.MINUS else 1
        self._at += sign < 0
        inner = self._atom(depth)
        return inner if sign > 0 else Sum(((-1, inner),))

    def _postfix(self, node: Node) -> Node:
        for _ in range(3):
            sort = self.sort(self._at)
            if sort is Sort.PERCENT:
                node = Call("%", (node,))
            elif sort is Sort.FACTORIAL and not self.tokens[self._at].spaced:
                node = Call("!", (node,))
            else:
                return node
            self._at += 1
        raise NotAnExpressionError

    def _atom(self, depth: int) -> Node:  # noqa: PLR0911 one for each kind
        token = self.tokens[self._at] if self._at < min(len(self.tokens), self._limit) else None
        match token.sort if token else None:
            case Sort.NUMBER:
                return self._number()
            case Sort.NAME:
                self._at += 1
                return Name(token.text) if token else Name("")
            case Sort.OPEN:
                return self._group(depth)
            case Sort.FRACTION:
                return self._fraction(depth)
            case Sort.ROOT:
                return self._root(depth)
            case Sort.BINOMIAL:
                self._at += 1
                return Call("C", (self._argument(depth), self._argument(depth)))
            case Sort.BAR:
                return self._absolute(depth)
        raise NotAnExpressionError

    def _number(self) -> Node:
        token = self.tokens[self._at]
        self._at += 1
        node = Number(token.value or Fraction(0), token.decimals)
        part = self._fraction_beside()
        if part is not None:
            return Mixed(node, part)
        if self.sort(self._at) is Sort.NUMBER:
            raise NotAnExpressionError
        return node

    def _fraction_beside(self) -> Node | None:
        """The 1/2 of 1 1/2, typed or set as a fraction."""
        if self.sort(self._at) not in {Sort.NUMBER, Sort.FRACTION}:
            return None
        numbers = (Sort.NUMBER, Sort.DIVIDE, Sort.NUMBER)
        here = self.tokens[self._at : self._at + 4]
        if tuple(token.sort for token in here[:3]) == numbers and here[0].spaced and not (here[1].spaced or here[2].spaced):
            self._at += 3
            return Product((("", Number(here[0].value or Fraction(0))), ("/", Number(here[2].value or Fraction(1)))))
        return self._fraction(_DEEPEST - 2) if here and here[0].sort is Sort.FRACTION else None

    def _fraction(self, depth: int) -> Node:
        self._at += 1
        token = self.tokens[self._at] if self._at < len(self.tokens) else None
        if token is not None and token.sort is Sort.NUMBER and len(token.text) == 2 and not token.decimals:
            self._at += 1  # \\frac12
            return Product((("", Number(Fraction(token.text[0]))), ("/", Number(Fraction(token.text[1])))))
        return Product((("", self._argument(depth)), ("/", self._argument(depth))))

    def _argument(self, depth: int) -> Node:
        r"""What stands in the braces after \frac, or the one digit: \frac12."""
        token = self.tokens[self._at] if self._at < len(self.tokens) else None
        if token is not None and token.sort is Sort.OPEN and token.text == "{":
            return self._group(depth)
        if token is None or token.sort is not Sort.NUMBER:
            raise NotAnExpressionError
        digits = token.text
        if len(digits) == 1:
            self._at += 1
            return Number(Fraction(digits))
        raise NotAnExpressionError

    def _root(self, depth: int) -> Node:
        sign = self.tokens[self._at].text
        self._at += 1
        degree = 2
        token = self.tokens[self._at] if self._at < len(self.tokens) else None
        if token is not None and token.text == "[" and self.partner.get(self._at) == self._at + 2:
            value = self.tokens[self._at + 1].value
            degree = int(value) if value is not None and value <= 6 else 0
            self._at += 3
        inner = self._group(depth) if self.sort(self._at) is Sort.OPEN else self._atom(depth)
        if not 2 <= degree <= 6 or (sign == "√" and self._is_open_ended()):
            raise NotAnExpressionError
        return Root(degree, inner)

    def _group(self, depth: int) -> Node:
        start = self._at
        end = self.partner.get(start)
        if end is None or start in self._failed:
            raise NotAnExpressionError
        self._at += 1
        bars, self._bars = self._bars, 0
        try:
            node = self._sum(depth + 1)
            if self._at != end:
                raise NotAnExpressionError
        except NotAnExpressionError:
            self._failed.add(start)
            raise
        self._bars = bars
        self._at += 1
        return node

    def _absolute(self, depth: int) -> Node:
        if self._bars:
            raise NotAnExpressionError
        self._bars = 1
        self._at += 1
        node = self._sum(depth + 1)
        if self.sort(self._at) is not Sort.BAR:
            raise NotAnExpressionError
        self._bars = 0
        self._at += 1
        return Call("|", (node,))


_STARTS: Final = frozenset({Sort.NUMBER, Sort.OPEN, Sort.FRACTION, Sort.ROOT, Sort.BINOMIAL})
