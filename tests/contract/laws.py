"""Every yaml in conf/trick is held to the same laws."""

from __future__ import annotations

import pytest
import torch

from ablate.catalog import names, trick_class
from ablate.train.sample import generate
from tests.world import BUILDS, gan, play, recipe_of, settings

ROUNDS = 6


def problems(tricks, net):
    """Return the sentences for which a set is refused on a net."""
    members = {name: trick_class(name).stack([s]) for name, s in tricks.items()}
    from ablate.trick import TrickSet

    found = TrickSet(members.values()).problems(recipe_of(BUILDS[net][1]))
    return [p.sentence for p in found if p.refuse]


def homes(name):
    """Return the nets on which a trick can be used."""
    return [net for net in BUILDS if not problems({name: settings(name)}, net)]


def signature(g):
    """Return everything that a trick can change: both players and every generator's samples."""
    generators = g.tricks.sampler({"raw": g.G.theta}, g)
    pictures = [generate(g, theta, 32).double().flatten() for theta in generators.values()]
    return torch.cat([g.G.theta.flatten().double(), g.D.theta.flatten().double(), pictures[-1]])


def trained(tricks, net, seeds=(0,), rounds=ROUNDS):
    return play(gan(tricks, net, seeds), rounds)


ALL = names()
CASES = [(name, net) for name in ALL for net in homes(name)]
each_trick = pytest.mark.parametrize("name", ALL)
each_case = pytest.mark.parametrize(("name", "net"), CASES, ids=["-".join(c) for c in CASES])


@pytest.fixture
def double():
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)
