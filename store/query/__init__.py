"""Search and filter, one grammar for the explorer and the command line: parsed here, compiled to SQL in `store.query.sql`.

    query = parse('set:base-only correct:yes -label:any "let me check"')
    query.text, query.terms, query.without(0).text, query.words

Importing it costs next to nothing: the explorer does, before its first paint.
"""

from store.query.fields import ALIASES, FIELDS, Field, Kind
from store.query.grammar import parse
from store.query.terms import BadQuery, Query, Term

__all__ = ["ALIASES", "FIELDS", "BadQuery", "Field", "Kind", "Query", "Term", "parse"]
