"""A round takes no page of memory from the system that the round before gave back."""

import subprocess
import sys

import pytest

ROUNDS = """
import resource
from functools import partial
import torch
from ablate.models.mlp import mlp
from ablate.core.feed import Feed
from ablate.runner.memory import keep_freed_memory
from ablate.core.pixels import Pixels
from ablate.core.step import Gan
from ablate.trick import Recipe, TrickSet

torch.set_num_threads(1)
keep_freed_memory()
data = torch.randn(2048, 2)
recipe = Recipe(64, 100, "linear", shape=(2,))
gan = Gan(TrickSet(), partial(mlp, width=64), Feed([0, 1, 2, 3], 2048, 64, 100, 1000),
          Pixels(data, None, "linear"), recipe)
def play(n):
    for _ in range(n):
        gan.feed.refill()
        gan.play(gan.rounds[0])
        gan.feed.count()
play(200)
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
play(200)
print((resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before) / 200)
"""


@pytest.mark.slow  # pages are the machine's affair
def test_a_small_networks_rounds_reuse_their_memory():
    # A process of its own: others have long freed a large block. Without, some 130 pages a round.
    asked = [sys.executable, "-c", ROUNDS]
    found = subprocess.run(asked, capture_output=True, text=True, check=True)
    assert float(found.stdout) < 2
