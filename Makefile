# `make check` is what continuous integration runs. The other targets use the environment of the README's test command.
PYTHON = .venv-dev/bin/python

check:
	bash .ci/run

test:
	$(PYTHON) -m pytest

lint:
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m mypy
	.venv-dev/bin/lint-imports

format:
	$(PYTHON) -m ruff check --fix .
	$(PYTHON) -m ruff format .

snapshots:
	$(PYTHON) -m pytest tests/explorer --snapshot-update

.PHONY: check test lint format snapshots
