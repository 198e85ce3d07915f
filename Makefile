# make bench: set up and score Smooth-Swap on the built-in rendered FaceForensics++; make test: set up and test.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
OUT ?= out/ffpp
# torch and torchvision must be a pair; this one is what the numbers in the README were measured with.
TORCH ?= torch==2.14.1 torchvision==0.29.1

.PHONY: bench test lint types layers weights clean

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

# The recipe of the committed weights (whose card tells how it was planned anew on the way): over an hour on two cores. First an embedder on strongly varied faces, then the same embedder
# against a one-step attack and with milder colours, then the swapper, which goes on where it was stopped.
TRAIN = $(BIN)/python -m smoothswap.train
weights: $(VENV)/installed
	test -f runs/faces/faces.npy || $(BIN)/python -m smoothswap.rendered.dataset --out runs/faces --people 1000 --views 12 --size 64 --seed 1000
	test -f runs/swapper/checkpoint.safetensors || $(TRAIN) embedder --preset lite-64 --data runs/faces --out runs/embedder --steps 1000 --set adversarial=0 \
	  --set augment.brightness=0.3 --set augment.contrast=0.35 --set augment.saturation=0.5 --set augment.tint=0.12 \
	  --set augment.gamma=0.35 --set augment.grayscale=0.15
	test -f runs/swapper/checkpoint.safetensors || $(TRAIN) embedder --data runs/faces --out runs/embedder --resume --steps 1400 --set network.final_bias=false \
	  --set lr=3e-3 --set adversarial=0.06 --set augment.brightness=0.15 --set augment.contrast=0.2 \
	  --set augment.saturation=0.25 --set augment.tint=0.06 --set augment.gamma=0.2 --set augment.grayscale=0.05
	$(TRAIN) swapper --preset lite-64 --data runs/faces --out runs/swapper --embedder runs/embedder --resume \
	  --steps 2000 --set lr=5e-4 --set adv_warmup=200
	$(TRAIN) export --run runs/swapper --name smoothswap-64

$(VENV)/installed: pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check $(TORCH)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	touch $@

clean:
	rm -rf $(VENV) out build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
