# Two commands are all a newcomer needs: `make demo` and `make test`.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
MERMAID := tests/reporting/mermaid/node_modules

.DEFAULT_GOAL := help
.PHONY: help demo flow test quick lint types layers unit durations docs bench bench-search kills faults torture hunt hunt-pipelines hunt-ci fuzz quality clean

help:  ## Show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Tunesmith needs Python 3.11 or newer; name one with: make PYTHON=python3.12 ..." >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip' || \
		{ echo "This Python cannot make virtual environments; on Debian: apt-get install python3-venv" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@

demo: $(READY)  ## Tune a real model on real data: grid, random and Bayesian search
	@PATH="$(abspath $(BIN)):$$PATH" sh examples/demo.sh

flow: $(READY)  ## An experiment with real Git and DVC, from a study to a merge
	@PATH="$(abspath $(BIN)):$$PATH" sh examples/flow.sh

test: lint types layers docs unit  ## Everything that CI runs

lint: $(READY)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: $(READY)
	$(BIN)/mypy

layers: $(READY)
	$(BIN)/lint-imports

docs: $(READY)
	$(BIN)/python docs/generate.py --check

# The charts of reports are parsed by Mermaid itself, where npm is there to fetch it.
$(MERMAID): tests/reporting/mermaid/package.json
	@if command -v npm >/dev/null; then npm install --prefix $(@D) --silent --no-audit --no-fund; fi || true

unit: $(READY) $(MERMAID)
	$(BIN)/python -m pytest -n logical --dist worksteal

# A part is an area, AREA=space, or what is named, T=tests/space/test_grid.py; its doctests belong to it.
T ?= $(wildcard $(if $(AREA),tests/$(AREA) tests/test_$(AREA).py src/tunesmith/$(AREA) src/tunesmith/$(AREA).py,tests))
quick: $(READY)  ## What takes no processes and no time, in a minute; in seconds: AREA=space, T=tests/space
	@test -n "$(strip $(T))" || { echo "There are no tests of an area $(AREA); name a file or folder with T=" >&2; exit 1; }
	$(BIN)/python -m pytest -q -m "not slow and not long" $(if $(filter tests,$(T)),-n logical --dist worksteal) $(T)

durations: $(READY) $(MERMAID)  ## All tests, and note how long each takes in tests/durations.json
	$(BIN)/python -m pytest -n logical --dist worksteal -p tests.durations

SEEDS ?= 18
N ?= 2000
hunt-ci: $(READY)  ## Run CI jobs in situations drawn by seed, on both forges: N=2000 SEED=1
	$(BIN)/python -m tests.pipeline.ci.runner.hunt $(N) $(SEED)

hunt-pipelines: $(READY)  ## Walk through many repositories as strangers write them: SEEDS=18
	$(BIN)/python -m tests.pipeline.walk --seeds $(SEEDS)

quality: $(READY)  ## Samplers against chance on more seeds than the suite has: SEEDS=18
	TUNESMITH_TESTS_SEEDS=$(SEEDS) $(BIN)/python -m pytest -n logical --dist worksteal tests/search/test_quality.py

bench: $(READY)  ## Measure against the peers: benchmarks/results.md, ratios from one run
	$(BIN)/python -m benchmarks

faults: $(READY)  ## Kill, or refuse, at every named point of runs, reports, merges, applies
	$(BIN)/python -m tests.durability.sweep

MINUTES ?= 30
torture: $(READY)  ## Random kills, torn files, full disks, clock jumps: MINUTES=30
	$(BIN)/python -m tests.durability.torture --minutes $(MINUTES)

YAHPO ?= $(TUNESMITH_YAHPO)
N_SEEDS ?= 8
N_TRIALS ?= 100

bench-search: $(READY)  ## Fits that samplers need, beside Optuna's: YAHPO=folder N_SEEDS=8 N_TRIALS=100
	$(BIN)/python -m benchmarks.search --seeds $(N_SEEDS) --trials $(N_TRIALS) $(if $(YAHPO),--yahpo $(YAHPO))

kills: $(READY)  ## Kill 200 runs, count the finished folds that are evaluated again
	$(BIN)/python -m tests.durability.kills

MINUTES ?= 10
SEED ?= 0

hunt: $(READY)  ## Look for scores that differ from scikit-learn's: MINUTES=10 SEED=0 STRATUM=shared
	$(BIN)/python -m hunts --minutes $(MINUTES) --seed $(SEED) $(if $(STRATUM),--stratum $(STRATUM))

fuzz: $(READY)  ## Damage a project's files at random and read them: make fuzz MINUTES=30
	$(BIN)/python -m tests.fuzzing.fuzz --minutes $(MINUTES)

clean:  ## Remove everything that was built
	rm -rf $(VENV) demo .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
