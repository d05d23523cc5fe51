# The words a developer and CI run. Each works as the very first one in a bare clone.
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
# The first interpreter that is new enough; name another with `make PYTHON=... setup`.
NEW_ENOUGH := import sys; sys.exit(sys.version_info < (3, 11))
PYTHON ?= $(firstword $(foreach name,python3 python3.13 python3.12 python3.11 python,$(shell $(name) -c '$(NEW_ENOUGH)' 2>/dev/null && echo $(name))))

.PHONY: setup demo test test-slow fix check docs bench clean

setup: $(READY) ## make .venv with everything in it

$(READY): pyproject.toml scripts/install_torch.py
	@test -n "$(PYTHON)" || { echo "zspace needs Python 3.11 or newer, and found none. Install it, or run: make PYTHON=/path/to/python $(MAKECMDGOALS)"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade "pip>=25.1" "packaging>=24"
	$(BIN)/python scripts/install_torch.py
	$(BIN)/python -m pip install --quiet --editable . --group test --group check --group docs
	@touch $(READY)

demo: $(READY) ## a whole study on drawn faces; ends with the path of its report
	$(BIN)/zspace study demo

test: $(READY) ## the tests, within ten minutes on two cores
	$(BIN)/pytest -n 2

test-slow: $(READY) ## those that take minutes: clean installs, long coverage runs
	$(BIN)/pytest -m slow

fix: $(READY) ## format, and mend what can be mended by itself
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

check: $(READY) ## format, lint, types, layers: no soft gate
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

docs: $(READY) ## the documentation as HTML
	$(BIN)/sphinx-build -W --keep-going -b html docs docs/_build/html
	@echo "Docs: docs/_build/html/index.html"

bench: $(READY) ## ratios against peers, measured in turns
	for script in bench/*.py; do echo "== $$script"; $(BIN)/python $$script || exit 1; done

clean: ## everything that make made
	rm -rf $(VENV) build dist docs/_build .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
