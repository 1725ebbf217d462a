"""From frozen trials to a stack that can be played.

Legend: K trials.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import torch

from ablate.config.catalog import load, trick_class, trick_set
from ablate.core.feed import Feed
from ablate.core.layers import Network, leaves
from ablate.core.pixels import Pixels
from ablate.core.recipe import PRECISIONS, Player, Recipe
from ablate.core.step import Build, Gan
from ablate.core.turn import TEXTBOOK
from ablate.data import Dataset
from ablate.data.fits import unfit
from ablate.errors import UserError, nearest
from ablate.models.dcgan import dcgan
from ablate.models.mlp import mlp
from ablate.models.module import module
from ablate.models.resnet import resnet
from ablate.runner.fault import told as told_of
from ablate.runner.inert import PLAYERS, inert, is_neutral
from ablate.runner.memory import keep_freed_memory
from ablate.seams.rules import Problem
from ablate.seams.trick_set import TrickSet
from ablate.train.schedule import rounds_for
from ablate.trial import Settings, Trial, canonical

MODELS: dict[str, Callable[..., Any]] = {"mlp": mlp, "dcgan": dcgan, "resnet": resnet}
BYTES = 16  # a parameter, its gradient and the two means of Adam


def build_of(model: Mapping[str, Any]) -> Build:
    """Return the function that makes a player's layers.

    Raises:
        UserError: There is no such model.
    """
    sizes = {key: value for key, value in model.items() if key != "name"}
    if model["name"] == "module":
        players = {"G": "generator", "D": "discriminator"}
        classes = {p: load(sizes[key]) for p, key in players.items()}
        kwargs = {p: sizes[f"{key}_kwargs"] for p, key in players.items()}
        return partial(module, classes=classes, kwargs=kwargs)
    if model["name"] not in MODELS:
        raise UserError(
            f"There is no model '{model['name']}'; {nearest(model['name'], [*MODELS, 'module'])}."
        )
    return partial(MODELS[model["name"]], **sizes)


def recipe_of(trial: Trial, dataset: Dataset) -> Recipe:
    """Return the plain choices of a trial, before its tricks edit them."""
    toy = len(dataset.shape) == 1
    return Recipe(
        batch_size=trial.train["batch_size"],
        latent_dim=trial.train["latent_dim"],
        image_range="linear" if toy else "tanh",
        shape=tuple(dataset.shape),
        classes=dataset.classes,
        data=dataset.name,
    )


def check(trial: Trial, dataset: Dataset) -> list[Problem]:
    """Return everything wrong or doubtful about a trial, all at once, without training it."""
    try:
        return examined(trial, dataset)
    except UserError:
        raise
    except Exception as error:  # of a hook of a trick, or of somebody's own networks
        blame = told_of(error, trial.tricks)
        return [Problem(True, f"{blame}; mend it before training.")]


def examined(trial: Trial, dataset: Dataset) -> list[Problem]:
    """Return what `check` does, where nothing raises."""
    found, members = [], []
    for name, settings in trial.tricks.items():
        try:
            members.append(trick_class(name).stack([settings]))
        except UserError as error:
            found.append(Problem(True, str(error)))
    tricks, recipe = TrickSet(members), recipe_of(trial, dataset)
    found += tricks.problems(recipe, surgery=trial.model["name"] != "module")
    try:
        build = build_of(trial.model)
        layers = {player: build(player, tricks.recipe(recipe)) for player in PLAYERS}
        if not any(p.refuse for p in found):
            found += too_large(tricks, layers)
        ours = trial.model["name"] != "module"
        idle = inert(tricks, recipe, build) if ours and not any(p.refuse for p in found) else []
    except UserError as error:
        return [*found, Problem(True, str(error))]
    told = [name for name in idle if not is_neutral(name, trial.tricks[name])]
    return [*found, *(Problem(False, changes_nothing(name, trial), name) for name in told)]


def too_large(tricks: TrickSet, layers: Mapping[Player, Network]) -> list[Problem]:
    """Return the problem of networks whose parameters no memory here holds.

    Args:
        tricks: They may add layers.
        layers: Of each player, before that.
    """
    edited = [leaf for p in PLAYERS for leaf in leaves(tricks.network(layers[p], p))]
    count = sum(math.prod(shape) for leaf in edited for shape in leaf.shapes().values())
    asked = f"A GAN of {count:,} parameters (model.width and depth, train.latent_dim, tricks)"
    return [Problem(True, sentence) for sentence in unfit(asked, BYTES * count)]


def changes_nothing(name: str, trial: Trial) -> str:
    """Return the sentence for a trick that has nothing to work on."""
    return (
        f"{name} changes nothing under these settings: no layer, no first value, no schedule and "
        f"no optimiser of {trial.model['name']} on {trial.data['name']}; results will be identical "
        "to those without it."
    )


def structure(trial: Trial) -> str:
    """Return what trials must share to be one stack: everything but seed and numbers."""
    shapes = [trick_class(name).structure(s) for name, s in sorted(trial.tricks.items())]
    rest = (trial.data, trial.model, trial.budget, trial.metric, trial.train)
    return canonical([shapes, *(dict(part) for part in rest)])


def together(trials: Sequence[Trial]) -> list[Trial]:
    """Return trials with the cheap tricks that others have, at neutral numbers.

    So arms with and without such a trick are one program. It gives the numbers of the trials as
    they were, under whose names results are written.
    """
    whole: dict[str, Settings] = {}
    for trial in trials:
        for name, settings in trial.tricks.items():
            if trick_class(name).cheap:
                whole.setdefault(name, {**settings, **(trick_class(name).neutral or {})})
    return [replace(trial, tricks={**whole, **trial.tricks}) for trial in trials]


def assemble(trials: Sequence[Trial], dataset: Dataset, device: torch.device | str = "cpu") -> Gan:
    """Return K trials as one stack on the device; they differ by numbers and cheap tricks alone.

    Raises:
        UserError: The tricks, the data and the networks do not go together.
    """
    trials = together(trials)
    first = trials[0]
    assert len({structure(trial) for trial in trials}) == 1, "trials of different structure"
    refused = [p.sentence for p in check(first, dataset) if p.refuse]
    if refused:
        raise UserError(" ".join(refused))
    if first.train["precision"] not in PRECISIONS:
        raise UserError(
            f"train.precision={first.train['precision']} is unknown; type one of "
            f"{', '.join(PRECISIONS)}."
        )
    tricks = trick_set([trial.tricks for trial in trials]) if first.tricks else TrickSet()
    recipe = tricks.recipe(recipe_of(first, dataset))
    images, n = dataset.train.images, len(dataset.train.images)
    rounds = rounds_for(first.budget["images"], recipe.batch_size, tricks.phases(list(TEXTBOOK)))
    seeds = [trial.seed for trial in trials]
    feed = Feed(seeds, n, recipe.batch_size, recipe.latent_dim, rounds)
    pixels = Pixels(images, dataset.train.labels, recipe.image_range)
    keep_freed_memory()
    # First parameters are drawn on the CPU, so that every device starts from the same bits.
    gan = Gan(
        tricks,
        build_of(first.model),
        feed,
        pixels.cpu(),
        recipe,
        mixed=first.train["precision"] == "bfloat16",
        channels_last=first.train["channels_last"],
    )
    return gan.to(device)
