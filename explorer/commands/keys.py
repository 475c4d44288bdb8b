"""basebound keys: every key of the explorer with the name under which it can be given another one."""

from __future__ import annotations

import argparse
import sys

EXAMPLE = "keys"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--toml", action="store_true", help="as a file of keys to begin with: save it, keep what you change")


def run(arguments: argparse.Namespace) -> int:
    from explorer.keys import all_keys, keys_file, own_keys

    own = own_keys()
    rows = [(row.name, own.get(row.name, row.keys), row.what) for row in all_keys()]
    if arguments.toml:
        lines = [f"# {keys_file()}", "[keys]", *(f'"{name}" = "{keys}"  # {what}' for name, keys, what in rows)]
    else:
        first, second = (max(len(row[place]) for row in rows) for place in (0, 1))
        lines = [f"{name:<{first}}  {keys:<{second}}  {what}" for name, keys, what in rows]
    sys.stdout.write("\n".join(lines) + "\n")
    return 0
