"""Words that stand beside numbers: which measure a unit belongs to, and which words make a plain reading unsafe.

Arithmetic is checked on the numbers alone. That is right for "3 bags * 5 apples = 15 apples" and wrong for
"2 hours + 30 minutes = 150 minutes", "1/2 hour = 30" or "3 dozen = 36": here stand the tables that tell them apart. Where
they are in doubt the answer is that nothing can be said.
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from typing import Final

_MEASURES: Final = {
    "time": "ms second seconds sec secs s minute minutes min mins hour hours hr hrs h day days week weeks month months year"
    " years decade decades century centuries weekend weekends weekday weekdays night nights fortnight quarter-hour",
    "length": "mm millimeter millimeters cm centimeter centimeters m meter meters metre metres km kilometer kilometers"
    " kilometre kilometres inch inches in foot feet ft yard yards yd mile miles mi micron nm lap laps block blocks",
    "mass": "mg g gram grams kg kilogram kilograms lb lbs pound pounds oz ounce ounces ton tons tonne tonnes stone",
    "volume": "ml milliliter milliliters l liter liters litre litres cup cups pint pints quart quarts gallon gallons"
    " teaspoon teaspoons tablespoon tablespoons tsp tbsp cc",
    "money": "dollar dollars cent cents penny pennies nickel nickels dime dimes quarter quarters buck bucks usd pence shilling"
    " euro euros",
    "rate": "mph kmh kph knots rpm",
    "angle": "degree degrees radian radians",
    "energy": "j kj joule joules cal kcal calorie calories ev kwh wh",
    "other": "n newton newtons pa kpa atm w kw watt watts v volt volts a amp amps ohm ohms hz khz mhz mol mole moles k kelvin",
}
KNOWN: Final = {word: measure for measure, words in _MEASURES.items() for word in words.split()}
"""Unit, in lower case -> what it measures."""

_SCALES: Final = (
    "dozen score gross thousand million billion trillion hundred pair couple half third fourth fifth quarter sixth eighth"
    " tenth hundredth thousandth ten twin triplet double twice triple squared cubed percent k remainder rem mod modulo r base"
    " factorial halves"
)
_SCALING: Final = frozenset(word + ending for word in _SCALES.split() for ending in ("", "s"))
"""Words that change the number they stand by."""

_FACTORS: Final = frozenset({60, 3600, 24, 7, 12, 365, 366, 52, 1440, 100, 1000, 10**6, 36, 1760, 5280})
_SMALL_FACTORS: Final = frozenset({2, 3, 4, 8, 10, 16, 20, 30})
"""From one unit to another of the same measure; the small ones come out of slips as well."""


def scaled(words: Iterable[str]) -> bool:
    """Whether a word changes the number beside it: dozen, million, half, squared."""
    return not _SCALING.isdisjoint(words)


def convertible(left: frozenset[str], right: frozenset[str]) -> bool:
    """Whether the two sides may speak of one measure in two units, so that unequal numbers may mean equal amounts."""
    units = {_singular(word) for word in left | right if word in KNOWN}
    measures = [KNOWN[word] for word in units]
    if len(set(measures)) < len(measures):
        return True
    ours, theirs = ({_singular(word) for word in side if word in KNOWN} for side in (left, right))
    return bool(ours and not theirs)


def is_conversion(left: Fraction, right: Fraction, words: frozenset[str]) -> bool:
    """Whether one number is the other in another unit: 45 and 3/4, 2 and 120; words are those in the two sides."""
    if not left or not right:
        return False
    ratio = max(abs(left / right), abs(right / left))
    return ratio in _FACTORS or (ratio in _SMALL_FACTORS and not words.isdisjoint(KNOWN))


def _singular(word: str) -> str:
    if word in {"feet", "inches"}:
        return {"feet": "foot", "inches": "inch"}[word]
    return word[:-1] if word.endswith("s") and word[:-1] in KNOWN and len(word) > 2 else word
