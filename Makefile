# Two commands for a fresh clone: `make demo` and `make test`. Each makes the environment it needs.

PYTHON ?= python3
VENV ?= .venv
# Where cmake and the tests of the extension get what little they need.
TOOLS ?= build/tools
# Exactly one of cpu and gpu. onnxruntime-gpu runs on machines without a GPU as well.
ORT ?= gpu
BIN := $(VENV)/bin
SOURCES := pyproject.toml CMakeLists.txt $(shell find cpp regimetry -type f -not -name '*.pyc')

.PHONY: demo test check lint types cpp extension docs wheel runtimes portability model clean

demo: demo/venv/.installed
	demo/venv/bin/regimetry sample sp500 -o demo/spx.csv
	demo/venv/bin/regimetry fit demo/spx.csv -o demo/spx.onnx --window-size 20 --n-regimes 3
	demo/venv/bin/regimetry predict demo/spx.onnx demo/spx.csv -o demo/regimes.csv
	demo/venv/bin/regimetry report demo/spx.onnx demo/spx.csv -o demo/regimes.png

# A process for each CPU, and so one thread in each.
test: $(VENV)/.installed
	OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1 TF_NUM_INTRAOP_THREADS=1 TF_NUM_INTEROP_THREADS=1 \
		$(BIN)/pytest -n auto --dist loadfile

# What else continuous integration looks at; its parts can run side by side.
check: lint types cpp extension

lint: $(VENV)/.installed
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: $(VENV)/.installed
	$(BIN)/mypy
	$(BIN)/python -I -m mypy.stubtest --mypy-config-file pyproject.toml regimetry._core

cpp: $(TOOLS)/.installed
	PATH="$(abspath $(TOOLS))/bin:$$PATH" bash cpp/check.sh

extension: $(TOOLS)/.installed
	bash cpp/check_extension.sh $(TOOLS)/bin/python

# The documentation's site, in build/site; a warning is an error.
docs: $(VENV)/.installed
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build

# The sources as they are packed, and a wheel of those as users get it: what is in it, how large it is, and that it works by itself.
wheel:
	rm -rf build/wheel
	$(PYTHON) -m venv build/wheel/venv
	build/wheel/venv/bin/pip install --quiet --disable-pip-version-check build
	build/wheel/venv/bin/python -m build --outdir build/wheel \
		--config-setting=cmake.define.REGIMETRY_WERROR=ON .
	build/wheel/venv/bin/python tests/wheel_content.py build/wheel/*.whl
	build/wheel/venv/bin/pip install --quiet --disable-pip-version-check build/wheel/*.whl
	build/wheel/venv/bin/python -I tests/smoke.py

# The model file in Node, a browser, OpenVINO and ONNX's evaluator; here nothing may be missing.
portability: $(VENV)/.installed runtimes
	REGIMETRY_REQUIRE_PORTABILITY=1 $(BIN)/pytest tests/portability

# What those tests need besides Python.
runtimes:
	npm ci --prefix examples --no-audit --no-fund
	npm run --prefix examples vendor
	command -v chromium >/dev/null || ! command -v apt-get >/dev/null || \
		(apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium >/dev/null)

# The shipped model and its golden file.
model: $(VENV)/.installed
	$(BIN)/python models/build.py

$(VENV)/.installed: $(SOURCES)
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --upgrade pip  # Python's own is older, and chooses releases slowly
	$(BIN)/pip install --quiet --disable-pip-version-check '.[$(ORT),dev]'
	touch $@

# What the demo needs, and no more: no TensorFlow, no tools.
demo/venv/.installed: $(SOURCES)
	test -x demo/venv/bin/python || $(PYTHON) -m venv demo/venv
	demo/venv/bin/pip install --quiet --disable-pip-version-check '.[cpu,fit,report,samples]'
	touch $@

$(TOOLS)/.installed:
	$(PYTHON) -m venv $(TOOLS)
	$(TOOLS)/bin/pip install --quiet --disable-pip-version-check cmake hypothesis numpy pytest
	touch $@

clean:
	rm -rf $(VENV) build demo
