# Two commands matter: `make demo` and `make test`. Both set everything up.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
NODE_MODULES := node_modules/.package-lock.json
TOOLS := .tools/slither/.installed .tools/halmos/.installed
PIN := uv pip compile --universal --generate-hashes --no-header --no-annotate --no-emit-index-url \
	--python-version 3.11

.PHONY: demo test quick soak mutants check tools constraints clean

demo: $(VENV)/.installed
	$(BIN)/polreg demo

test: $(VENV)/.installed $(NODE_MODULES) $(TOOLS) tools check
	$(BIN)/pytest -n 3 --dist loadgroup

quick: $(VENV)/.installed
	$(BIN)/pytest -n 2 tests/unit

# Hours: a million calls of the contract's functions in any order, ten times the acts that four
# implementations must agree on, proofs over larger trees, a thousand seeds of a lying node.
soak: $(VENV)/.installed $(NODE_MODULES) $(TOOLS)
	PYTHONPATH=. $(BIN)/python scripts/soak.py
	POLREG_DIFFERENTIAL_ACTS=100000 $(BIN)/pytest tests/differential
	POLREG_OUTBOX_DOCUMENTS=2000 POLREG_OUTBOX_HISTORIES=2000 $(BIN)/pytest \
		tests/integration/test_outbox_faults.py tests/integration/test_outbox_histories.py
	SYMBOLIC_SIZE=24 $(BIN)/pytest tests/symbolic
	POLREG_LYING_SEEDS=1000 $(BIN)/pytest tests/integration/test_lying_node.py
	POLREG_HISTORIES=20000 POLREG_KILLS=1000 $(BIN)/pytest -n 2 tests/integration/test_follow_histories.py \
		tests/integration/test_follow_kills.py

# Hours: small edits to the contract, each of which the tests must notice.
mutants: $(VENV)/.installed $(NODE_MODULES)
	$(BIN)/python scripts/mutate.py

check: $(VENV)/.installed
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

tools:
	scripts/install_test_tools.sh

# Every version is pinned with its hash; nothing is resolved anew on a user's machine.
$(VENV)/.installed: constraints.txt pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --require-hashes --no-deps -r constraints.txt
	$(BIN)/pip install --quiet --no-deps --no-build-isolation -e .
	touch $@

$(NODE_MODULES): package.json package-lock.json
	scripts/install_test_tools.sh node
	npm ci --ignore-scripts --no-audit --no-fund
	touch $@

# Analysers of the contract, each in an environment of its own: they want other versions than we do.
.tools/%/.installed: scripts/tools/%.txt
	$(PYTHON) -m venv .tools/$*
	.tools/$*/bin/pip install --quiet --require-hashes --no-deps -r $<
	touch $@

# Run after changing the dependencies in pyproject.toml or scripts/tools/*.in; needs uv.
constraints:
	$(PIN) --extra dev pyproject.toml --output-file constraints.txt
	$(PIN) --extra serve --extra postgres --extra websocket --extra fast --constraint constraints.txt \
		pyproject.toml deploy/build.in --output-file deploy/requirements.txt
	$(PIN) scripts/tools/slither.in --output-file scripts/tools/slither.txt
	$(PIN) scripts/tools/halmos.in --output-file scripts/tools/halmos.txt

clean:
	rm -rf $(VENV) .tools node_modules cache out
