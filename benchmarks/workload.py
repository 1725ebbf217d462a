"""What is timed: one network, batch and penalty, as a stack of the core and as the textbook's loop.

A name says it all: a network (mlp, dc8, dc28, dc32, dc64, resnet) and what differs from its
ordinary form, in any order: w64 (width), bf16, r1 or gp (a gradient penalty in every turn of D).
`dc32-w64-bf16-r1` is DCGAN at 32 pixels, 64 channels at the largest resolution, R1.

Legend: K trials.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import torch

from ablate.config.catalog import entry, trick_set
from ablate.core.feed import Feed
from ablate.core.pixels import Pixels
from ablate.core.step import Gan
from ablate.models.dcgan import dcgan
from ablate.models.mlp import mlp
from ablate.models.resnet import resnet
from ablate.runner.conv_choice import set_forms
from ablate.train.ladder import Play, captured, compiled
from ablate.trick import Recipe, TrickSet
from benchmarks import textbook

FOREVER = 10**9  # rounds
CACHE = Path("~/.cache/ablate").expanduser()  # of timed convolutions; a GPU's are taken once
ROWS = 2048  # of made-up data: what is in them does not change the time
PENALTIES = {
    "r1": {"r1": {"gamma": 1.0}},
    "gp": {"gp_interp": {"strength": 10.0}},
}
# The rungs, without the rehearsal that lets a run fall back: each gives the numbers of the first.
FORMS: dict[str, Callable[[Gan], Play]] = {
    "eager": lambda gan: gan.play,
    "compiled": compiled,
    "graph": lambda gan: captured(gan, compiled(gan)),
}


def forms_on(device: str) -> list[str]:
    """Return the forms that a device has."""
    return [form for form in FORMS if form != "graph" or device.startswith("cuda")]


@dataclass(frozen=True)
class Net:
    """A network in both forms.

    Attributes:
        ours: Builds a player's layers, given `width`.
        shape: Of one sample.
        width: The ordinary one.
        theirs: Returns the textbook's two modules of a width.
        tricks: What belongs to it.
        wider: Factor on the width of the players.
    """

    ours: Callable[..., Any]
    shape: tuple[int, ...]
    width: int
    theirs: Callable[[int], tuple[torch.nn.Module, torch.nn.Module]]
    tricks: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    wider: Mapping[str, float] = field(default_factory=lambda: {"G": 1.0, "D": 1.0})


def of_dcgan(size: int, channels: int) -> Net:
    shape = (channels, size, size)
    return Net(dcgan, shape, 16, partial(textbook.dcgan, size, channels))


NETS = {
    "mlp": Net(mlp, (2,), 128, textbook.mlp),
    "dc8": of_dcgan(8, 1),
    "dc28": of_dcgan(28, 1),
    "dc32": of_dcgan(32, 3),
    "dc64": of_dcgan(64, 3),
    # SNGAN with half of its paper's ratio: G twice as wide as D, five turns of D for one of G.
    "resnet": Net(
        resnet, (3, 32, 32), 32, lambda width: textbook.resnet(2 * width, width),
        {"spectral_norm": {}, "n_critic": {"d_turns": 5}}, {"G": 2.0, "D": 1.0},
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Workload:
    """A network, its width, a precision and a penalty.

    Attributes:
        name: As it was typed.
        net: A key of NETS.
        penalty: A key of PENALTIES, None for none.
        mixed: bfloat16 products.
        channels_last: Images with channels last in memory.
    """

    name: str
    net: str
    width: int
    penalty: str | None = None
    mixed: bool = False
    channels_last: bool = False

    @classmethod
    def of(cls, name: str) -> Workload:
        """Return the workload of a name.

        Raises:
            ArgumentTypeError: The name says nothing; argparse makes a sentence of it.
        """
        net, *parts = name.split("-")
        if net not in NETS:
            raise argparse.ArgumentTypeError(f"there is no network '{net}'; type {', '.join(NETS)}")
        found = cls(name, net, NETS[net].width)
        for part in parts:
            if re.fullmatch(r"w[1-9]\d*", part):
                found = replace(found, width=int(part[1:]))
            elif part in PENALTIES:
                found = replace(found, penalty=part)
            elif part == "bf16":
                found = replace(found, mixed=True)
            else:
                raise argparse.ArgumentTypeError(
                    f"'{part}' in '{name}' means nothing; type w64, bf16, r1 or gp"
                )
        return found

    @property
    def images(self) -> bool:
        """Whether samples are images, which have a layout in memory."""
        return len(NETS[self.net].shape) == 3

    def data(self) -> torch.Tensor:
        """Return made-up samples, the same at every call."""
        shape, made = (ROWS, *NETS[self.net].shape), torch.Generator().manual_seed(0)
        if self.images:
            return torch.randint(0, 256, shape, generator=made, dtype=torch.uint8)
        return torch.randn(shape, generator=made)

    def settings(self) -> dict[str, dict[str, Any]]:
        """Return trick -> settings, the penalty included."""
        changes = {**NETS[self.net].tricks, **PENALTIES.get(self.penalty or "", {})}
        return {name: {**entry(name).settings, **change} for name, change in changes.items()}

    def stack(self, seeds: Sequence[int], device: str = "cpu", rounds: int = FOREVER) -> Gan:
        """Return one trial a seed, as one stack; its convolutions in the form that users get."""
        net, tricks = NETS[self.net], self.settings()
        recipe = Recipe(
            textbook.BATCH, textbook.LATENT, "tanh" if self.images else "linear",
            net.wider, shape=net.shape,
        )  # fmt: skip
        feed = Feed(list(seeds), ROWS, recipe.batch_size, recipe.latent_dim, rounds)
        gan = Gan(
            trick_set([tricks] * len(seeds)) if tricks else TrickSet(),
            partial(net.ours, width=self.width),
            feed,
            Pixels(self.data(), None, recipe.image_range),
            recipe,
            mixed=self.mixed,
            channels_last=self.channels_last,
        )
        gan.to(device)
        set_forms(gan, "auto", CACHE)
        return gan

    def loop(self, device: str = "cpu", careful: bool = False, mixed: bool = False):
        """Return the textbook's trial: T, or T' where it is careful."""
        net = NETS[self.net]
        turns = net.tricks.get("n_critic", {}).get("d_turns", 1)
        players = net.theirs(self.width)
        return textbook.Loop(players, self.data(), device, careful, self.penalty, turns, mixed)


def played(gan: Gan, play: Play | None = None) -> Callable[[], None]:
    """Return what plays one period of the schedule as the loop does, without curves and points."""
    feed, play = gan.feed, play or gan.play

    def period() -> None:
        for stages in gan.rounds:
            feed.refill()
            play(stages)
            feed.count()

    return period
