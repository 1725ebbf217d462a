"""Inductor's sums into places that may coincide fall where they belong."""

import subprocess
import sys
from pathlib import Path

from torch._inductor.codegen import cpp

from ablate.train.inductor import mend

# In a process of its own: unmended, it ends with a corrupted heap.
SUMS = """
import torch
from ablate.train.inductor import mend
mend()
torch.set_num_threads(2)
torch._dynamo.config.trace_autograd_ops = True

def gradient(x, w):
    x = x.detach().requires_grad_()
    patches = x.unfold(3, 4, 1).unfold(4, 4, 1).permute(0, 2, 5, 6, 1, 3, 4)
    y = torch.bmm(w, patches.reshape(8, -1, 32))
    return torch.autograd.grad(y.square().sum(), x)[0]

x, w = torch.randn(8, 32, 16, 4, 4), torch.randn(8, 1, 256)
found = torch.compile(gradient, fullgraph=True)(x, w)
assert (found - gradient(x, w)).abs().max() < 1e-4 * found.abs().max()
"""


def test_sums_in_a_tile_fall_where_they_belong():
    done = subprocess.run(
        [sys.executable, "-c", SUMS],
        cwd=Path(__file__).parents[2], capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]


def test_a_torch_that_is_written_otherwise_is_left_alone(monkeypatch):
    def store(self, name, index, value, mode=None):
        """Without the fault."""

    monkeypatch.setattr(cpp.CppTile2DKernel, "store", store)
    mend()
    assert cpp.CppTile2DKernel.store is store


def test_what_is_mended_is_mended_once(monkeypatch):
    monkeypatch.setattr(cpp.CppTile2DKernel, "store", cpp.CppTile2DKernel.store)
    mend()
    once = cpp.CppTile2DKernel.store
    mend()
    assert cpp.CppTile2DKernel.store is once
