"""A user's trick whose seam has another signature is an error of mypy."""

import subprocess
import sys

import pytest

TRICK = """
from torch import Tensor

from ablate.trick import Step, Strength, Trick, number


class Mine(Trick):
    strength: Strength = number(0)

    def {seam}
        return {value}
"""
RIGHT = [
    ("penalty(self, step: Step) -> Tensor:", "self.strength * step.loss"),
    ("weigh(self, loss: Tensor, step: Step) -> Tensor:", "loss * self.strength"),
]
WRONG = [
    ("penalty(self, step: int) -> Tensor:", "self.strength"),
    ("penalty(self, step: Step) -> float:", "1.0"),
    ("weigh(self, loss: Tensor) -> Tensor:", "loss"),
    ("target(self, target: Tensor, side: Step, at: object) -> Tensor:", "target"),
]


@pytest.fixture(scope="module")
def errors(tmp_path_factory):
    """File name -> what mypy says, all in one run."""
    folder = tmp_path_factory.mktemp("typed")
    for kind, tricks in (("right", RIGHT), ("wrong", WRONG)):
        for n, (seam, value) in enumerate(tricks):
            (folder / f"{kind}{n}.py").write_text(TRICK.format(seam=seam, value=value))
    command = [sys.executable, "-m", "mypy", "--strict", "--no-warn-return-any", "."]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    said = done.stdout.splitlines()
    names = (file.name for file in folder.glob("*.py"))
    return {name: [line for line in said if line.startswith(name)] for name in names}


@pytest.mark.parametrize("n", range(len(RIGHT)))
def test_a_right_signature_passes(errors, n):
    assert errors[f"right{n}.py"] == []


@pytest.mark.parametrize("n", range(len(WRONG)))
def test_a_wrong_signature_is_an_error(errors, n):
    assert any("[override]" in line for line in errors[f"wrong{n}.py"]), errors
