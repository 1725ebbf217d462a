"""What penalties on D's gradient share.

Legend: K trials, B batch, U units that D scores, V values of a unit.
"""

from __future__ import annotations

import torch
from torch import Tensor


def slope(score: Tensor, x: Tensor) -> Tensor:
    """Return D's gradient at x, differentiable again: scores [K, U] and x [K, B, ...] -> [K, U, V].

    A unit is what D scores, one image or a pack of them: the norm belongs to the unit.
    """
    (g,) = torch.autograd.grad(score.sum(), x, create_graph=True)
    return g.reshape(*score.shape, -1)
