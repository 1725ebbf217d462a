"""Steps and tricks on their own, for laws that need no networks."""

from types import SimpleNamespace

import torch

from ablate.config.catalog import trick_class
from ablate.core.rng import Moment
from ablate.trick import Turn
from tests.world import settings


def trick(name, **changes):
    return trick_class(name)(**settings(name, **changes))


def stand(player, real, fake, t_real=1.0, t_fake=None):
    """Return a step in which D gave these scores [K, U] and the labels are these numbers."""
    t_fake = float(player == "G") if t_fake is None else t_fake
    step = SimpleNamespace(player=player, turn=Turn(player))
    for name, logits, target in (("real", real, t_real), ("fake", fake, t_fake)):
        labels = torch.full_like(logits, target)
        side = SimpleNamespace(name=name, logits=logits, target=labels, step=step)
        setattr(step, name, side)
    step.sum_sides = lambda term: term(step.real) + term(step.fake)
    return step


def moment(clock=0, seeds=(0,)):
    seed = torch.tensor(seeds)
    return Moment.of(seed, torch.full_like(seed, clock), 1)


def side(name, player="D", units=1):
    """Return one side of a step, for the target seam, and its hard labels."""
    zeros = torch.zeros(1, units)
    found = getattr(stand(player, zeros, zeros), name)
    return found, found.target
