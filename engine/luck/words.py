"""Words with a meaning for arithmetic in running text, by what they do to the numbers beside them. All in lower case."""

from __future__ import annotations

from typing import Final


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


FUNCTIONS: Final = _set(
    "sin cos tan cot sec csc arcsin arccos arctan log ln lg exp det gcd lcm max min mod floor ceil round abs sum"
    " range len int float"
)
"""Names of functions: what follows is their argument, and nothing here computes them."""

SHORT: Final = _set(
    "a an and as at be by do for he hr hrs if in is it kg km lb lbs me mi mm cm ml mg min my no of off on or oz ft so"
    " sq the to up us we yd am pm vs ok go ha wh kj mj nm hz ev pa kw"
)
"""Words of two letters; any other two letters side by side are variables or their product: AB, xy."""

CAPITALS: Final = frozenset(word.upper() for word in _set("usd mph am pm ok wpm tv dvd cd cds kg km cm lb lbs not and the"))
"""Words of up to four capitals that are no variables."""

NO_UNITS: Final = _set(
    "and or is are was were be if then so but because since which that the not no we i he she they it you this these"
    " those there here where when while after before has have had gets get got makes make gives give given means thus"
    " hence therefore also left-hand right-hand plus minus times to from by than as with into out let find calculate"
    " total answer equals equal yields will would can could should must onto until how many much what who whose why do"
    " does did"
)
"""Words that do not stand between a number and its operator as a unit does."""

JOINING: Final = _set("in for at on with into out among per every each")
"""Words that may join a number before them to the one behind them: 24 eggs in 1 tray * 2."""

BEFORE: Final = _set(
    "of by from than per between times plus minus over sum product difference square root cube half twice double"
    " triple third quarter thirds fourths percent divided multiplied subtract subtracted mod modulo choose and add"
    " added with to factorial inverse"
)
"""Words whose own number may end the expression that seems to begin behind them."""

AFTER: Final = _set(
    "remainder r rem mod modulo thousand million billion trillion hundred dozen dozens times plus minus more squared"
    " cubed pm am o'clock over divided multiplied percent base less half below above"
)
"""Words that go on with the number before them."""

BRIDGES: Final = _set("and or to")
"""Words that do where another number follows: 3 and 1/2, 3 or 4, 3 to 1."""

FIGURES: Final = _set("a an one two three four five six seven eight nine ten half")
"""Numbers in words."""

SUPPOSING: Final = _set("if whether suppose supposing assume assuming maybe perhaps")
"""Words that make what follows a supposition."""

LEADING: Final = _set("so thus then have since because that hence therefore and get is are gives but as now obtain find where")
"""Words behind which a bare number opens a statement: "so 117 = 3 * 39"."""

STEPS: Final = _set(
    "so thus then therefore hence which gives give us we get have simplify simplifies simplifying simplified divide"
    " dividing divided subtract subtracting subtracted add adding multiply multiplying both sides side by from to of"
    " the equation this is means implies solve solving for combine combining like terms isolate isolating rearrange"
    " rearranging and yields becomes now finally can step left right obtain obtaining following result results in"
    " leads that times quad text implies rightarrow begin align end aligned cdot it find finding x y z n as"
)
"""Words between an equation and the next step of its solution."""
