# BIN is where the tools are; `make BIN=` takes them from the PATH.
BIN ?= .venv/bin/

.PHONY: check test long slow grid fix lock

check:  ## lint, format, types
	$(BIN)ruff check .
	$(BIN)ruff format --check .
	$(BIN)mypy

test:  ## the ordinary tests, under five minutes on two cores
	$(BIN)pytest

long:  ## whole sweeps, simulations, programs compiled anew: ten minutes more
	$(BIN)pytest -m long

slow:  ## the marked tests, up to two hours
	$(BIN)pytest -n 0 -m slow

grid:  ## both engines on every legal combination of settings, some four hours
	$(BIN)pytest -n 0 -m grid

fix:  ## what can be mended by a tool
	$(BIN)ruff check --fix .
	$(BIN)ruff format .

lock:  ## resolve the dependencies anew, for every supported Python
	$(BIN)uv pip compile pyproject.toml --group dev --universal --generate-hashes --no-header \
		--no-emit-index-url --no-annotate -q -o requirements.lock
