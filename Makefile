# Every target runs in .venv, which is made on first use. `make <target> PY=python3` uses an interpreter of your own
# instead and installs nothing. ARGS goes to the program that the target runs: make demo ARGS="--device cuda".

PYTHON  ?= python3
VENV    ?= .venv
JOBS    ?= 2
ARGS    ?=
TORCH   := torch==2.13.0 expecttest
CUDA    := cuda13
GPUJOBS := 8
# Tests run side by side, one on each core: threads of BLAS would only be in their way.
ONE     := OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1
# On a machine of one's own interpreter some packages that other tests want may be missing, or newer than is known here.
GPUTESTS := -m gpu -q -W default --continue-on-collection-errors
GPUFIRST := $(addprefix tests/test_,gpu.py cublaslt.py cudnn.py cuda_backend.py)
LIBRARY := array_api autograd backends distributions func nn optim utils viz

ifneq ($(origin PY),command line)
PY  := $(VENV)/bin/python
env  = $(VENV)/.installed-$(1)
endif

.DEFAULT_GOAL := help
.PHONY: help demo test kernels notebooks lint format typecheck parity gpu gpu-bench gpu-dry gpu-measure gpu-tests bench docs clean
.DELETE_ON_ERROR:
.NOTPARALLEL:

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

demo: $(call env,demo) ## train a convolutional network on real handwritten digits; results in runs/demo
	$(PY) examples/digits.py --out runs/demo $(ARGS)

test: $(call env,dev) ## every test that needs neither a GPU nor PyTorch
	$(ONE) $(PY) -m pytest -n $(JOBS) --dist worksteal -m "not gpu and not parity and not bench and not sweep" $(ARGS)

# The arrays of these tables are small: `all` compiles for arrays of any size, where `1` would leave them to NumPy.
TABLES := tests/test_ops.py tests/test_layers.py tests/test_optimizers.py tests/test_fused.py tests/test_conv_kernels.py
kernels: $(call env,dev) ## the tables of ops, layers and optimizers by NumPy alone and by compiled kernels, on 1 and 2 threads
	@for run in "0 1" "all 1" "all 2"; do set -- $$run; echo "== WENGERT_NUMBA=$$1 on $$2 threads"; \
		WENGERT_NUMBA=$$1 OPENBLAS_NUM_THREADS=$$2 \
		$(PY) -m pytest -q -n $(JOBS) --dist worksteal -m "not gpu and not parity and not bench" $(TABLES) $(ARGS) || exit 1; \
	done

notebooks: $(call env,dev) $(call env,notebooks) ## run every notebook from top to bottom (ARGS="notebooks/03*" for one)
	PYTHONPATH="$(CURDIR)" OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 $(PY) -m pytest --nbmake --nbmake-timeout=180 -n $(JOBS) --dist worksteal $(or $(ARGS),notebooks)

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
	$(ONE) $(PY) -m pytest -n $(JOBS) --dist worksteal -m "parity and not gpu" $(ARGS)

gpu: ## on a machine with a CUDA device, in ten minutes: gpu-measure, gpu-bench and gpu-tests, whatever fails
	$(MAKE) --keep-going gpu-measure gpu-bench gpu-tests

gpu-measure: $(call env,dev) $(call env,$(CUDA)) $(call env,cudnn) ## what only a GPU can tell, as JSON
	$(PY) -m benchmarks.gpu_measure --budget 100 $(ARGS)

gpu-bench: $(call env,dev) $(call env,$(CUDA)) $(call env,cudnn) ## speed beside PyTorch and JAX, if they are there
	$(PY) -m benchmarks.gpu --budget 140 $(ARGS)

gpu-tests: $(call env,dev) $(call env,$(CUDA)) $(call env,cudnn) ## every test that needs a GPU
	$(PY) -m pytest $(GPUTESTS) --budget 40 $(GPUFIRST) $(ARGS)
	$(PY) -m pytest $(GPUTESTS) --budget 130 -n $(GPUJOBS) --dist worksteal $(ARGS)

gpu-dry: $(call env,dev) ## all of `make gpu` on a stand-in for CuPy, tiny, to find mistakes without a GPU
	$(PY) -m benchmarks.gpu_measure --stand-in --json build/dry/measured.json
	$(PY) -m benchmarks.gpu --stand-in --rounds 1 --seconds 0.01 --json build/dry/bench.json
	$(PY) -m pytest -m gpu --stand-in -q -n $(JOBS) $(ARGS)

bench: $(call env,dev) $(call env,torch) $(call env,bench) ## speed and memory beside PyTorch and JAX (25 minutes; --quick: 3)
	$(PY) benchmarks/run.py $(ARGS)

docs: $(call env,docs) ## the documentation as web pages in build/docs
	$(PY) -m docs.gallery_page --pages build/extra/pages
	$(PY) -m sphinx -W --keep-going -b html docs build/docs $(ARGS)

clean: ## remove everything that the targets made, the environment included
	rm -rf $(VENV) build dist runs docs/notebooks *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
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
