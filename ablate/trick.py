"""What a trick imports: this module, torch, and nothing else.

A trick is a small module. Its numbers are [K], one per trial; everything else about it is
structure, which trials of one stack share. Its memory is `[K, ...]` buffers, written in place and
only in `settle`, so checkpoints, devices, stacks and replay come for free. To write one, subclass
`Trick`, declare settings with `number`, `integer`, `factor`, `choice` or `flag`, and override the
seams it touches.
"""

from ablate.core.layers import (
    Apply,
    Conv,
    ConvTranspose,
    Layer,
    Leaky,
    Linear,
    Network,
    Number,
    Resample,
    Reshape,
    Residual,
    Shape,
    Weights,
    leaves,
    like,
    rewrite,
)
from ablate.core.optim import SGD, Adam, Optimizer, RMSprop
from ablate.core.recipe import Player, Recipe
from ablate.core.rng import Moment
from ablate.core.step import Gan, Side, Step
from ablate.core.turn import TEXTBOOK, Round, Stage, Turn, mark_every
from ablate.errors import UserError
from ablate.seams.base import Trick
from ablate.seams.norms import normalise
from ablate.seams.penalties import slope
from ablate.seams.rules import Others, Problem, Rules, missing
from ablate.seams.setting import Setting, Strength, choice, factor, flag, integer, number
from ablate.seams.trick_set import TrickSet

__all__ = [
    "SGD",
    "TEXTBOOK",
    "Adam",
    "Apply",
    "Conv",
    "ConvTranspose",
    "Gan",
    "Layer",
    "Leaky",
    "Linear",
    "Moment",
    "Network",
    "Number",
    "Optimizer",
    "Others",
    "Player",
    "Problem",
    "RMSprop",
    "Recipe",
    "Resample",
    "Reshape",
    "Residual",
    "Round",
    "Rules",
    "Setting",
    "Shape",
    "Side",
    "Stage",
    "Step",
    "Strength",
    "Trick",
    "TrickSet",
    "Turn",
    "UserError",
    "Weights",
    "choice",
    "factor",
    "flag",
    "integer",
    "leaves",
    "like",
    "mark_every",
    "missing",
    "normalise",
    "number",
    "rewrite",
    "slope",
]
