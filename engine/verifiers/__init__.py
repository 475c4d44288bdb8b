"""Verifiers: what says whether a response is right. One file each, chosen by name, imported when chosen.

VERIFIERS is the table of those we ship, name -> "module:Class"; a problem's `kind` is a name in it.
"""

from __future__ import annotations

from importlib import import_module
from typing import Final

from engine.verifiers.base import Verifier, VerifierError

VERIFIERS: Final[dict[str, str]] = {
    "math": "engine.verifiers.math:MathVerifier",
}


def load(name: str) -> Verifier:
    """A new verifier by name. Raises VerifierError, listing the known names, for any other."""
    if name not in VERIFIERS:
        known = ", ".join(sorted(VERIFIERS))
        raise VerifierError(f"no verifier is called {name!r}; known: {known}")
    module, _, attribute = VERIFIERS[name].partition(":")
    verifier: Verifier = getattr(import_module(module), attribute)()
    return verifier
