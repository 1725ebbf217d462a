"""G's last function, one half of the pair that fixes the range of pixels."""

from __future__ import annotations

import torch

from ablate.core.layers import Apply, Network
from ablate.core.recipe import Recipe

LAST = {"tanh": torch.tanh, "sigmoid": torch.sigmoid}


def last(recipe: Recipe) -> Network:
    """Return G's last function as a list of one layer, or of none where the range is linear."""
    kind = recipe.image_range
    return [Apply("range", LAST[kind])] if kind in LAST else []
