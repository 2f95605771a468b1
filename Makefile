# BIN is where the tools are; `make BIN=` takes them from the PATH.
BIN ?= .venv/bin/

.PHONY: check test long slow grid fix docs lock

check:  ## lint, format, types
	$(BIN)ruff check .
	$(BIN)ruff format --check .
	$(BIN)mypy

test:  ## the ordinary tests, some six minutes on two cores
	$(BIN)pytest

long:  ## whole sweeps, simulations, programs compiled anew: up to twenty minutes
	$(BIN)pytest -m long

slow:  ## the marked tests, up to two hours
	$(BIN)pytest -n 0 -m slow

grid:  ## both engines on every legal combination of settings, half an hour on two cores
	$(BIN)pytest --dist load -m grid

docs:  ## the site, in docs/_build/html, and its doctests; needs the dependency group `docs`
	$(BIN)python -m sphinx -W --keep-going -q -b html docs docs/_build/html
	$(BIN)python docs/check_links.py docs/_build/html
	$(BIN)pytest -q -n 0 --doctest-glob=*.md --ignore=docs/reference/_made docs/start docs/reference docs/why docs/_ext/types_in_words.py

fix:  ## what can be mended by a tool
	$(BIN)ruff check --fix .
	$(BIN)ruff format .

lock:  ## resolve the dependencies anew, for every supported Python
	$(BIN)uv pip compile pyproject.toml --group dev --universal --generate-hashes --no-header \
		--no-emit-index-url --no-annotate -q -o requirements.lock
