# make bench: set up and score Smooth-Swap on the built-in rendered FaceForensics++; make test: set up and test.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
OUT ?= out/ffpp
# torch and torchvision must be a pair; this one is what the numbers in the README were measured with.
TORCH ?= torch==2.14.1 torchvision==0.29.1

.PHONY: bench test lint types layers docs regress quality speed baseline speed-baseline weights clean

bench: $(VENV)/installed
	$(BIN)/python -m bench.ffpp --model smoothswap --out $(OUT)

test: $(VENV)/installed lint types layers
	$(BIN)/python -m pytest

lint: $(VENV)/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check --diff .

types: $(VENV)/installed
	$(BIN)/mypy

layers: $(VENV)/installed
	$(BIN)/lint-imports

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
	env OMP_NUM_THREADS=1 $(BIN)/python tests/speed/make_baseline.py 5

# The recipe of the committed weights, about eleven hours on two cores; a run that was stopped goes on where it was.
# LFW: a folder with images_deepfunneled/Name/photo.jpg and meta/peopleDevTrain.txt.
TRAIN = $(BIN)/python -m smoothswap.train
RENDER = $(BIN)/python -m smoothswap.rendered.dataset
LFW ?= lfw
weights: $(VENV)/installed
	test -f runs/faces/faces.npy || $(RENDER) --out runs/faces --people 4000 --views 12 --size 64 --seed 3000 --makeover 0.8
	test -f runs/lfw/faces.npy || $(BIN)/python -m smoothswap.prepare $(LFW)/images_deepfunneled --kind lfw --people $(LFW)/meta/peopleDevTrain.txt --size 64 --out runs/lfw
	$(TRAIN) embedder --preset lite-64-inner --data runs/faces --out runs/inner --resume
	$(TRAIN) embedder --preset lfw-64-inner --data runs/lfw --out runs/lfw-embedder --start runs/inner --resume --set seed=2
	$(TRAIN) embedder --preset lfw-64-inner --data runs/lfw --out runs/lfw-other --resume
	$(TRAIN) swapper --preset lite-64-inner --data runs/lfw --out runs/lfw-swapper --embedder runs/lfw-embedder --also runs/lfw-other --resume
	$(TRAIN) export --run runs/lfw-swapper --name smoothswap-lfw-64 --main --half
	test -f runs/lookalikes/faces.npy || $(RENDER) --out runs/lookalikes --people 6000 --views 9 --size 64 --seed 4000 --lookalikes
	$(TRAIN) embedder --preset lite-64 --data runs/faces --out runs/embedder --resume
	$(TRAIN) embedder --preset rendered-64 --data runs/lookalikes --out runs/look --resume
	$(TRAIN) embedder --preset rendered-64-grey --data runs/lookalikes --out runs/grey --start runs/look --resume
	$(TRAIN) embedder --preset rendered-64 --data runs/lookalikes --out runs/photos-first --start smoothswap-lfw-64 --resume --steps 700 --set lr=1e-3
	$(TRAIN) swapper --preset rendered-64 --data runs/lookalikes --out runs/rendered-1 --start smoothswap-lfw-64 --embedder runs/photos-first \
		--also runs/grey --also runs/embedder --resume --set lambda_id=10 --set discriminator.resampling=fir
	$(TRAIN) swapper --preset rendered-64 --data runs/lookalikes --out runs/rendered-2 --start runs/rendered-1 --embedder runs/photos-first \
		--also runs/embedder --also smoothswap-lfw-64 --resume --steps 1680 --set lambda_id=10 --set decay=none --set adv_warmup=200
	test -f runs/shapes/faces.npy || $(RENDER) --out runs/shapes --people 2000 --views 18 --size 64 --seed 4000 --lookalikes --shapes
	$(TRAIN) embedder --preset rendered-64 --data runs/shapes --out runs/shape --start runs/photos-first --resume --steps 700 --set lr=1e-3
	$(TRAIN) swapper --preset rendered-64 --data runs/lookalikes --out runs/rendered --start runs/rendered-2 --embedder runs/photos-first \
		--also runs/shape --resume --steps 1700 --set lambda_id=10 --set adv_warmup=0 --set ema=0.998
	$(TRAIN) export --run runs/rendered --name smoothswap-rendered-64 --main --half
	$(TRAIN) embedder --preset rendered-64-arc --data runs/lookalikes --out runs/arc --start runs/look --resume
	$(TRAIN) embedder --preset rendered-64-grey --data runs/lookalikes --out runs/arc-grey --start runs/arc --resume --set loss=arcface --set scale=32
	$(TRAIN) swapper --preset rendered-64 --data runs/lookalikes --out runs/rendered-arc --embedder runs/arc --also runs/arc-grey --resume \
		--set discriminator.resampling=fir
	$(TRAIN) export --run runs/rendered-arc --name smoothswap-rendered-64-arc --half
	test -f runs/judge/faces.npy || $(RENDER) --out runs/judge --people 1500 --views 9 --size 96 --seed 2000
	$(TRAIN) embedder --preset recogniser-96 --data runs/judge --out runs/recogniser --resume
	$(TRAIN) export --run runs/recogniser --name recogniser-96 --half
	$(BIN)/python -m bench.make_anny.regressor --work runs/anny --epochs 30 --lr 2e-3 --out runs/anny/first.safetensors
	$(BIN)/python -m bench.make_anny.regressor --work runs/anny --epochs 24 --lr 1.5e-3 --seed 7 --start runs/anny/first.safetensors --out runs/anny/second.safetensors
	$(BIN)/python -m bench.make_anny.regressor --work runs/anny --epochs 25 --lr 1.2e-3 --seed 8 --start runs/anny/second.safetensors

$(VENV)/installed: pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check $(TORCH)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	touch $@

clean:
	rm -rf $(VENV) out build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
