"""The step as one compiled graph for every distinct round."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torch._dynamo

from ablate.random import name_key
from ablate.train.step import Gan

PROGRAMS = 1 << 16


def compiled(gan: Gan, backend: str = "inductor") -> Callable[..., Any]:
    """Return `gan.play`, compiled whole: penalties' second gradients are inside the same graph.

    Compiling G or D alone would refuse, or silently lose, a gradient of a gradient. Convolutions
    are grouped in it, whatever form they had.
    """
    torch._dynamo.config.trace_autograd_ops = True
    # Every stack of a process is another program of one function; dynamo gives up at the ninth.
    torch._dynamo.config.recompile_limit = PROGRAMS
    torch._dynamo.config.accumulated_recompile_limit = PROGRAMS
    for net in (gan.G, gan.D):
        net.forms = {}  # grouped: inductor's C++ for products of patches corrupts the heap
    torch.compiler.assume_constant_result(name_key)  # sha256 is no tensor code
    return torch.compile(gan.play, fullgraph=True, dynamic=False, backend=backend)
