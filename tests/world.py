"""A small world that tests train in: a few rounds of tiny networks on made-up images or points."""

from __future__ import annotations

from functools import partial

import torch

from ablate.config.catalog import entry, trick_set
from ablate.core.feed import Feed
from ablate.core.pixels import Pixels
from ablate.core.step import Gan
from ablate.models.dcgan import dcgan
from ablate.models.mlp import mlp
from ablate.trick import Recipe, TrickSet

BUILDS = {"mlp": (partial(mlp, width=24), (2,)), "dcgan": (partial(dcgan, width=4), (1, 8, 8))}
ROWS, CLASSES = 80, 4


def settings(name, **changes):
    """Return the yaml's settings of a trick, changed."""
    return {**entry(name).settings, **changes}


def images(shape):
    """Return a fixed training split of ROWS samples: bytes, or points of a toy."""
    made = torch.Generator().manual_seed(0)
    if len(shape) == 1:
        return torch.randn(ROWS, *shape, generator=made)
    return torch.randint(0, 256, (ROWS, *shape), generator=made, dtype=torch.uint8)


def recipe_of(shape, batch=16, latent=6):
    toy = len(shape) == 1
    return Recipe(batch, latent, "linear" if toy else "tanh", shape=shape, classes=CLASSES)


def gan(tricks, net="dcgan", seeds=(0,), build=None, shape=None, batch=16, latent=6, rounds=40):
    """Return a Gan.

    Args:
        tricks: Name -> settings for all trials, or a list of such mappings, one a trial.
        net: A key of BUILDS, unless build and shape are given.
        seeds: One a trial.
    """
    default_build, default_shape = BUILDS[net]
    build, shape = build or default_build, shape or default_shape
    trials = tricks if isinstance(tricks, list) else [tricks] * len(seeds)
    members = trick_set(trials) if trials[0] else TrickSet()
    members.to(torch.get_default_dtype())
    recipe = members.recipe(recipe_of(shape, batch, latent))
    data = images(shape)
    labels = torch.arange(len(data)) % CLASSES
    feed = Feed(list(seeds), len(data), recipe.batch_size, recipe.latent_dim, rounds)
    pixels = Pixels(data.to(torch.get_default_dtype()) if data.dim() == 2 else data, labels,
                    recipe.image_range)  # fmt: skip
    return Gan(members, build, feed, pixels, recipe)


def play(gan, n):
    """Play n rounds."""
    for _ in range(n):
        gan.feed.refill()
        gan.play(gan.rounds[gan.feed.played % len(gan.rounds)])
        gan.feed.count()
    return gan
