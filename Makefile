# Every target runs in .venv, which is made on first use. `make <target> PY=python3` uses an interpreter of your own
# instead and installs nothing. ARGS goes to the program that the target runs: make demo ARGS="--device cuda".

PYTHON  ?= python3
VENV    ?= .venv
JOBS    ?= 2
ARGS    ?=
TORCH   := torch==2.13.0 expecttest
CUDA    := cuda13
LIBRARY := autograd backends distributions func nn optim utils viz

ifneq ($(origin PY),command line)
PY  := $(VENV)/bin/python
env  = $(VENV)/.installed-$(1)
endif

.DEFAULT_GOAL := help
.PHONY: help demo test lint format typecheck parity gpu bench docs clean
.DELETE_ON_ERROR:
.NOTPARALLEL:

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

demo: $(call env,demo) ## train a convolutional network on real handwritten digits; results in runs/demo
	$(PY) examples/digits.py --out runs/demo $(ARGS)

test: $(call env,dev) ## every test that needs neither a GPU nor PyTorch
	$(PY) -m pytest -n $(JOBS) --dist worksteal -m "not gpu and not parity and not bench" $(ARGS)

lint: $(call env,dev) ## style and likely bugs
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .

format: $(call env,dev) ## mend what `make lint` can mend by itself
	$(PY) -m ruff check --fix .
	$(PY) -m ruff format .

# mypy cannot follow the package-dir mapping, so it is shown the installed shape of the package: a folder of links.
typecheck: $(call env,dev) ## mypy --strict on the whole package
	@mkdir -p build/typing/wengert
	@ln -sfn "$(CURDIR)"/wengert/*.* $(foreach part,$(LIBRARY),"$(CURDIR)/$(part)") build/typing/wengert
	$(PY) -m mypy $(ARGS)

parity: $(call env,dev) $(call env,torch) ## compare with PyTorch, which is installed if it is missing
	$(PY) -m pytest -n $(JOBS) --dist worksteal -m "parity and not gpu" $(ARGS)

gpu: $(call env,dev) $(call env,$(CUDA)) ## on a machine with a CUDA device: its tests, then the benchmarks there
	$(PY) -m pytest -m gpu $(ARGS)
	$(PY) benchmarks/run.py --device cuda --quick --only torch

bench: $(call env,dev) $(call env,torch) $(call env,bench) ## speed and memory beside PyTorch and JAX (25 minutes; --quick: 3)
	$(PY) benchmarks/run.py $(ARGS)

docs: $(call env,docs) ## the documentation as web pages in build/docs
	$(PY) -m docs.gallery_page --pages build/extra/pages
	$(PY) -m sphinx -W --keep-going -b html docs build/docs $(ARGS)

clean: ## remove everything that the targets made, the environment included
	rm -rf $(VENV) build dist runs *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "wengert needs Python 3.11 or newer; name one with: make PYTHON=python3.12"; exit 1; }
	$(PYTHON) -m venv $(VENV)

# A stamp per extra, so that only a change of pyproject.toml installs anything again.
$(VENV)/.installed-torch: | $(VENV)/bin/python
	@$(PY) -c 'import torch, expecttest' 2> /dev/null || $(PY) -m pip install --quiet $(TORCH)
	@touch $@

$(VENV)/.installed-%: pyproject.toml | $(VENV)/bin/python
	$(PY) -m pip install --quiet --editable '.[$*]'
	@touch $@
