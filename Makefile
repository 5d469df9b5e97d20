# The commands of the README. Everything runs in .venv, made from the hash-locked requirements.
PYTHON ?= python3
# gpu, jax or jax-gpu: the environment with that extra (make demo EXTRA=gpu). Tests train on JAX too, and an environment
# that has it serves the rest as well.
EXTRA ?= $(if $(filter test planted,$(MAKECMDGOALS))$(wildcard .venv/.made-from-requirements-jax.txt),jax)
BIN := .venv/bin
# Some containers forbid bytecode; without it every import of TensorFlow compiles it anew.
unexport PYTHONDONTWRITEBYTECODE

lock := requirements$(if $(EXTRA),-$(EXTRA)).txt
stamp := .venv/.made-from-$(lock)

.PHONY: demo test planted check locks benchmark
demo: $(stamp)
	@$(BIN)/snakemake --cores all --quiet rules host -- demo
	@echo "The report is reports/index.html ($(CURDIR)/reports/index.html)."

test: $(stamp)
	$(BIN)/python -m pytest

# Do the tests notice wrong science? Half an hour on 2 cores at most.
planted: $(stamp)
	$(BIN)/python tests/planted/plant.py

check: $(stamp)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/snakefmt --check Snakefile workflow
	$(BIN)/basedpyright
	@# The environment is that of requirements.txt for all rules, so that lint alone is not ours.
	@lints="$$($(BIN)/snakemake --lint 2>&1)"; echo "$$lints" | grep -q '^Lints for rule' || { echo "$$lints"; exit 1; }; \
	  ! echo "$$lints" | grep '^    \* ' | grep -v 'Specify a conda environment'

benchmark: $(stamp)
	$(BIN)/python benchmarks/steps.py
	$(BIN)/python benchmarks/grids.py
	$(BIN)/python benchmarks/overhead.py
	$(BIN)/python benchmarks/planning.py

# Hash-locked for every supported Python; names no registry.
locks:
	for extra in "" gpu jax jax-gpu; do \
	  uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --group dev \
	    $${extra:+--extra $$extra} pyproject.toml -o requirements$${extra:+-$$extra}.txt || exit 1; \
	done

$(stamp): $(lock) pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' || \
	  { echo "expected Python 3.11 to 3.13, came $$($(PYTHON) --version): call make PYTHON=python3.12, say" >&2; exit 1; }
	@echo "Making .venv from $(lock): this takes a few minutes, once."
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --compile --require-hashes -r $(lock)
	@$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@rm -f .venv/.made-from-* && touch $@
