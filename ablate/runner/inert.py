"""Tricks that change nothing: under these settings, of this network, on this data.

A norm that has no layer to stand behind trains the baseline once more and is called inconclusive.
What a trick does to layers, first values, optimisers and the schedule can be seen before training;
what it does to tensors in a step cannot, so a trick that touches those is never called inert.

Legend: K trials.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import Tensor

from ablate.config.catalog import trick_class
from ablate.core.layers import Layer, Network, leaves
from ablate.core.optim import Adam, Optimizer
from ablate.core.recipe import Player, Recipe
from ablate.core.rng import Moment
from ablate.core.step import Build
from ablate.core.turn import TEXTBOOK
from ablate.seams.base import Trick
from ablate.seams.trick_set import SEAMS, TrickSet, overrides
from ablate.trial import Settings

STILL = ("recipe", "network", "init", "optimizer", "phases")  # seams that are played once
PLAYERS: tuple[Player, ...] = ("G", "D")
CORNER = 4  # of a part along each axis: which layers a trick touches hangs on no size
_touched: dict[tuple[Any, ...], bool] = {}


def inert(tricks: TrickSet, recipe: Recipe, build: Build) -> list[str]:
    """Return the tricks of a set that change nothing which the others have left.

    Args:
        tricks: A set that can be trained.
        recipe: The plain choices of the run, before the set edits them.
        build: Makes a player's layers.
    """
    idle = {trick.name: trick for trick in tricks if seams_of(trick) <= {*STILL}}
    busy = {name for name in idle if changes_recipe(tricks, name, recipe)}
    edited = tricks.recipe(recipe)
    for player in PLAYERS:
        layers = build(player, edited)
        for trick in tricks.seams["network"]:
            before, layers = list(layers), trick.network(layers, player)
            busy |= set() if same(before, layers) else {trick.name}
        for name, trick in idle.items():
            if name not in busy and (
                changes_first(trick, layers, player) or changes_optimizer(trick, player)
            ):
                busy.add(name)
    rounds = list(TEXTBOOK)
    for trick in tricks.seams["phases"]:
        before_it, rounds = rounds, trick.phases(list(rounds))
        busy |= set() if before_it == rounds else {trick.name}
    return [name for name in idle if name not in busy]


def seams_of(trick: Trick) -> set[str]:
    """Return the seams that a trick overrides."""
    return {seam for seam in SEAMS if overrides(trick, seam)}


def changes_recipe(tricks: TrickSet, name: str, recipe: Recipe) -> bool:
    """Return whether a trick changes a plain choice of the run."""
    for trick in tricks.seams["recipe"]:
        before, recipe = recipe, trick.recipe(recipe)
        if trick.name == name and before != recipe:
            return True
    return False


def same(before: Network, after: Network) -> bool:
    """Return whether two networks are the same layers."""
    return len(before) == len(after) and all(
        one is other or one == other for one, other in zip(before, after, strict=True)
    )


def changes_first(trick: Trick, layers: Iterable[Layer], player: Player) -> bool:
    """Return whether a trick touches the first values of a layer."""
    if "init" not in seams_of(trick):
        return False
    parts = tuple((leaf, part) for leaf in leaves(layers) for part in leaf.shapes())
    kinds = tuple((type(leaf), leaf.name, part, leaf.shapes()[part]) for leaf, part in parts)
    asked = (type(trick), str(settings_of(trick)), player, kinds)
    if asked not in _touched:  # arms of a study ask the same again and again
        _touched[asked] = touches(trick, parts, player)
    return _touched[asked]


def settings_of(trick: Trick) -> dict[str, Any]:
    """Return the settings that a trick was made with."""
    return {key: trick.values.get(key, getattr(trick, key)) for key in trick.settings}


def touches(trick: Trick, parts: Iterable[tuple[Layer, str]], player: Player) -> bool:
    """Return whether a trick gives any part another first value, tried on a corner of each."""
    zero = torch.zeros(1, dtype=torch.int64)
    at = Moment.of(zero, zero, 1).at("init", player)
    for leaf, part in parts:
        first = torch.zeros(1, *(min(size, CORNER) for size in leaf.shapes()[part]))
        if trick.init(first, leaf, part, at) is not first:
            return True
    return False


def changes_optimizer(trick: Trick, player: Player) -> bool:
    """Return whether a trick edits a player's optimiser or brings another."""
    if "optimizer" not in seams_of(trick):
        return False
    before = Adam(torch.zeros(1, 1))
    after = trick.optimizer(Adam(torch.zeros(1, 1)), player)
    return type(before) is not type(after) or not equal(before, after)


def equal(one: Optimizer, other: Optimizer) -> bool:
    """Return whether two optimisers of one kind have the same numbers."""
    theirs: Mapping[str, Tensor] = dict(other.named_buffers())
    return all(torch.equal(value, theirs[name]) for name, value in one.named_buffers())


def neutral_in(tricks: Mapping[str, Settings]) -> set[str]:
    """Return the tricks of a trial that stand at settings at which they are the baseline."""
    return {name for name, settings in tricks.items() if is_neutral(name, settings)}


def is_neutral(name: str, settings: Settings) -> bool:
    """Return whether a trick's settings are those at which it is the baseline bit for bit."""
    kind = trick_class(name)
    if kind.neutral is None:
        return False
    taken = {k: s.check(name, k, settings[k]) for k, s in kind.settings.items()}
    return all(taken[k] == kind.settings[k].check(name, k, v) for k, v in kind.neutral.items())
