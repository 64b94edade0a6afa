# The two commands a person needs: `make demo` and `make test`. Both set up .venv first, in either order; `make quick`
# and `make docs` are for those who change something.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
WORKERS := $(shell $(PYTHON) -c "import os; print(min(os.cpu_count() + 1, 4))")
# A file's tests by one worker, which makes what they share once; the longest files first (tests/conftest.py).
SIDE_BY_SIDE := -n $(WORKERS) --dist loadfile --no-loadscope-reorder
NATIVE := CMakeLists.txt $(wildcard csrc/*.cpp csrc/*.h csrc/*/*.cpp csrc/*/*.h)
CPP := $(filter %.cpp %.h,$(NATIVE)) $(wildcard tests/native/*.cpp tests/native/*.h)

# Where the environment forbids keeping bytecode, every process would compile torch's anew.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: demo test quick fuzz check docs format cells options sanitize sanitize-calls arm64 windows wheel requirements setup clean

demo: setup
	$(BIN)/gatework compare waves --cells rnn,gru,lstm --seeds 3 --epochs 20 --out demo

# Tests run side by side: a thread of one that waits busily would keep another from its core. One more than there are
# cores, as some wait for a browser, a server or a clock.
test: setup
	OMP_WAIT_POLICY=passive $(BIN)/python -m pytest $(SIDE_BY_SIDE)

# What needs neither a compiler nor a browser, a process or a long training; for while you work.
quick: setup
	OMP_WAIT_POLICY=passive $(BIN)/python -m pytest $(SIDE_BY_SIDE) -m "not slow and not browser and not data"

# Random tables, random options, and folders of runs and comparisons changed at random, each of which must be answered
# or refused in one sentence, random scans against the reference, random requests to a server, and the tests of pages in
# a browser that is late; a few of the first four are part of the tests. CASES=N and SEED=N say how many and which.
fuzz: setup
	PYTHONPATH=tests OMP_NUM_THREADS=1 $(BIN)/python tests/support/fuzzed_tables.py $(or $(CASES),3000) $(or $(SEED),0)
	PYTHONPATH=tests OMP_NUM_THREADS=1 $(BIN)/python tests/support/fuzzed_options.py $(or $(CASES),500) $(or $(SEED),0)
	PYTHONPATH=tests OMP_NUM_THREADS=1 $(BIN)/python tests/support/fuzzed_folders.py $(or $(CASES),600) $(or $(SEED),0)
	FUZZ_PARTS=20 FUZZ_FIRST=$(or $(SEED),0) OMP_NUM_THREADS=1 $(BIN)/python -m pytest tests/native/test_fuzz.py
	PYTHONPATH=tests OMP_NUM_THREADS=1 $(BIN)/python tests/support/fuzzed_service.py $(or $(CASES),5000) $(or $(SEED),0)
	SLOW=workers,timers,frames,streams PYTHONPATH=tests $(BIN)/python -m pytest -p support.slowed -m browser

check: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/clang-format --dry-run --Werror $(CPP)
	$(MAKE) --no-print-directory docs

# The documentation as pages in build/site, which open from disk; a broken link or an unknown name is an error.
docs: setup
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --quiet --strict
	@echo "build/site/index.html"

format: setup
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/clang-format -i $(CPP)

# The native code under AddressSanitizer, UndefinedBehaviorSanitizer and ThreadSanitizer, once per instruction set.
sanitize:
	tests/native/sanitize.sh

# Tests of Python, random calls among them, on modules built with the first two.
sanitize-calls: setup
	tests/native/sanitize_calls.sh

# The native kernels for arm64: cross-compiled and run under qemu's user mode (Debian's g++-aarch64-linux-gnu, qemu-user).
arm64:
	tests/native/arm64.sh

# The native kernels cross-compiled for Windows on x86-64, with the clang of the package ziglang; half an hour.
windows:
	tests/native/windows.sh

# A release, rehearsed: source archive, wheels, audits, and use in fresh environments without a compiler; ten minutes.
wheel:
	$(PYTHON) packaging/wheel.py $(if $(WHEELS),--wheels $(WHEELS))

# The C++ of the cells, from their step(); it is part of the repository, so nobody needs this who changes no cell.
cells: $(VENV)/.requirements
	PYTHONPATH=src $(BIN)/python -m gatework.cells._write csrc/cells

# The typed signatures and the documentation's tables, from the options; both are part of the repository.
options: $(VENV)/.requirements
	PYTHONPATH=src $(BIN)/python -m gatework.options._generate docs/recipes.md

setup: $(VENV)/.installed

# The SHA-256 of every file of the pinned versions, for all platforms. torch stands apart: PyPI's build and PyTorch's own
# for processors are two files of one version, and which of them pip takes is the machine's choice. It comes by a second
# call, with what a platform needs besides the pins.
requirements:
	test -x build/requirements/bin/uv || { $(PYTHON) -m venv build/requirements && build/requirements/bin/pip install --quiet uv; }
	build/requirements/bin/uv pip compile requirements/dev.txt --generate-hashes --no-deps --no-emit-package torch \
		--no-annotate --no-header --python-version 3.11.5 --quiet --output-file requirements/hashes.txt

$(BIN)/python:
	$(PYTHON) -c 'import sys; sys.exit("gatework needs Python 3.11 or newer, and $(PYTHON) is %d.%d; try: make PYTHON=python3.11" % sys.version_info[:2] if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.requirements: requirements/dev.txt requirements/hashes.txt | $(BIN)/python
	$(BIN)/python requirements/install.py packages

$(VENV)/.installed: requirements/dev.txt requirements/hashes.txt pyproject.toml $(NATIVE) | $(BIN)/python
	$(BIN)/python requirements/install.py
	touch $@

clean:
	rm -rf $(VENV) build demo
