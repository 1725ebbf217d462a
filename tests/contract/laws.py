"""Every yaml in conf/trick is held to the same laws."""

from __future__ import annotations

import pytest
import torch

from ablate.config.catalog import names, trick_class
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


def players(g):
    """Return the parameters of both players, one vector."""
    return torch.cat([g.G.theta.flatten().double(), g.D.theta.flatten().double()])


def pictures(g):
    """Return the samples of every generator that is scored, [generators, numbers]."""
    generators = g.tricks.sampler({"raw": g.G.theta}, g)
    return torch.stack([generate(g, theta, 32).double().flatten() for theta in generators.values()])


def signature(g):
    """Return everything that a trick can change: both players and all generators' samples."""
    return torch.cat([players(g), pictures(g).flatten()])


def same_bits(a, b):
    """Both players, and each generator's samples; where one has a single one, all are like it."""
    x, y = pictures(a), pictures(b)
    comparable = x.shape[1] == y.shape[1] and (len(x) == len(y) or 1 in (len(x), len(y)))
    p, q = players(a), players(b)
    return comparable and p.shape == q.shape and torch.equal(p, q) and bool((x == y).all())


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
