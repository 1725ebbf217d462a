# The commands a newcomer needs. Every one starts from a bare checkout.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo test slow check bench bench-cuda bench-durability hydra14 clean

demo: $(VENV)/installed
	$(BIN)/ablate sweep demo
	$(BIN)/ablate report results/demo -o reports/demo

test: $(VENV)/installed
	$(BIN)/python -m pytest -m "not slow" -n auto

slow: $(VENV)/installed
	$(BIN)/python -m pytest -m slow -n auto

check: $(VENV)/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/codespell

bench: $(VENV)/installed
	$(BIN)/python -m benchmarks.step
	$(BIN)/python -m benchmarks.sweep
	$(BIN)/python -m benchmarks.report
	$(BIN)/python -m benchmarks.stack --only mlp --trials 64
	$(BIN)/python -m benchmarks.stack --only dc8 --trials 16
	$(BIN)/python -m benchmarks.stack --only dc32 dc32-bf16 --trials 8 --workers 2
	$(BIN)/python -m benchmarks.study
	$(BIN)/python -m benchmarks.count

# Every goal of a CUDA device, one table, eight minutes. Without a device it says so.
bench-cuda: $(VENV)/installed
	$(BIN)/python -m benchmarks.cuda

# Kills, failing disks, damage and bad input: sixty of each kind; without --sample all, for hours.
bench-durability: $(VENV)/installed
	$(BIN)/python -m benchmarks.durability --sample 60

# Does the newest Hydra break anything? A venv of its own, so that nothing else moves.
hydra14:
	$(PYTHON) -m venv $(VENV)-hydra14
	$(VENV)-hydra14/bin/pip install -q -c constraints.txt -e ".[dev]"
	$(VENV)-hydra14/bin/pip install -q --pre "hydra-core==1.4.0rc3" "omegaconf>=2.4.1rc1"
	$(VENV)-hydra14/bin/python -m pytest -m "not slow" -n auto tests/cli tests/plan

$(VENV)/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install -q -c constraints.txt torch
	$(BIN)/pip install -q -c constraints.txt -e ".[dev]"
	touch $@

clean:
	rm -rf $(VENV) $(VENV)-hydra14 build dist .pytest_cache .mypy_cache .ruff_cache
