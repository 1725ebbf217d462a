"""A trick: settings are annotations, seams are methods.

Legend: K trials, B batch, U units that D scores (B, or B / m packs), Z latent, P parameters.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from ablate.core.layers import Layer, Network
from ablate.core.optim import Optimizer
from ablate.core.recipe import Player, Recipe
from ablate.core.rng import Moment
from ablate.core.step import Gan, Side, Step
from ablate.core.turn import Round
from ablate.errors import UserError
from ablate.seams.rules import Others, Problem, Rules
from ablate.seams.setting import Setting


class Trick(nn.Module):
    """A switchable training technique.

    Class attributes:
        group: Heading under which `ablate tricks` lists it.
        rank: Order inside a seam is (rank, name).
        neutral: Settings at which the run is the baseline bit for bit; None where there are none.
        cheap: Whether arms without it may stand beside it in a stack, at its neutral numbers: there
            it costs next to nothing, scores no further generator, and multiplies nothing that may
            be infinite by 0, as a penalty would.
        traits: What other tricks need to know of this one.
        needs, excludes, doubts: Trait or trick name -> why it is required, refused, or flagged.
        cost: What it adds, in words.
        revision: Goes up when its numbers move under the same settings; above 1 it is part of a
            trial's id.
    """

    group: ClassVar[str] = ""
    rank: ClassVar[int] = 0
    neutral: ClassVar[Mapping[str, Any] | None] = None
    cheap: ClassVar[bool] = False
    traits: ClassVar[frozenset[str]] = frozenset()
    needs: ClassVar[Rules] = {}
    excludes: ClassVar[Rules] = {}
    doubts: ClassVar[Rules] = {}
    cost: ClassVar[str] = "none"
    revision: ClassVar[int] = 1
    settings: ClassVar[dict[str, Setting]] = {}
    name: ClassVar[str] = ""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        own = {key: v for key, v in vars(cls).items() if isinstance(v, Setting)}
        for key in own:
            delattr(cls, key)  # a class attribute would hide the buffer of the same name
            assert not hasattr(cls, key), f"{cls.__name__}.{key} is the name of a seam; rename it"
        cls.settings = {**cls.settings, **own}
        cls.name = re.sub(r"(?<!^)(?=[A-Z])", "_", cls.__name__).lower()

    def __init__(self, **settings: Any) -> None:
        """Take every setting; a number may be a sequence with one value per trial."""
        super().__init__()
        self.check_keys(settings)
        self.values: dict[str, list[float]] = {}  # the numbers in full precision, for optimisers
        for key, setting in self.settings.items():
            given = settings[key]
            if setting.numeric:
                many = given if isinstance(given, Sequence) else [given]
                values = [setting.check(self.name, key, v) for v in many]
                self.values[key] = values
                self.register_buffer(key, torch.tensor(values, dtype=torch.get_default_dtype()))
            else:
                setattr(self, key, setting.check(self.name, key, given))

    @classmethod
    def check_keys(cls, settings: Mapping[str, Any]) -> None:
        """Refuse unknown and missing settings by name."""
        for key in settings:
            if key not in cls.settings:
                near = difflib.get_close_matches(key, cls.settings, 1, 0)
                hint = f"type trick.{cls.name}.{near[0]}=..." if near else "it has no settings"
                raise UserError(f"Trick {cls.name} has no setting '{key}'; {hint}.")
        missing = [key for key in cls.settings if key not in settings]
        if missing:
            raise UserError(f"Trick {cls.name} needs a value for {', '.join(missing)}.")

    @classmethod
    def stack(cls, trials: Sequence[Mapping[str, Any]]) -> Trick:
        """Return one trick for K trials whose settings differ in numbers only."""
        for trial in trials:
            cls.check_keys(trial)
            cls.check(trial)
        merged = {
            key: [t[key] for t in trials] if s.numeric else trials[0][key]
            for key, s in cls.settings.items()
        }
        return cls(**merged)

    @classmethod
    def structure(cls, settings: Mapping[str, Any]) -> tuple[Any, ...]:
        """Return what two trials must share to be in one stack."""
        return (cls.name, *(settings[k] for k, s in cls.settings.items() if not s.numeric))

    @classmethod
    def summary(cls) -> str:
        """Return the first line of the docstring."""
        return (cls.__doc__ or "").strip().splitlines()[0]

    # -- what it says about itself -----------------------------------------------------------------

    @classmethod
    def check(cls, settings: Mapping[str, Any]) -> None:
        """Refuse settings of one trial that contradict each other (low above high, ...).

        Raises:
            UserError: They do, in a sentence that says what to type instead.
        """

    def marks(self) -> frozenset[str]:
        """Return its traits under these settings."""
        return self.traits

    def refusals(self) -> Rules:
        """Return what it excludes under these settings."""
        return self.excludes

    def problems(self, others: Others, recipe: Recipe) -> Iterator[Problem]:
        """Yield what this trick has against the rest of the set, the data, or the recipe."""
        return iter(())

    # -- seams played once -------------------------------------------------------------------------

    def recipe(self, recipe: Recipe) -> Recipe:
        """Return the plain choices of the run, edited."""
        return recipe

    def network(self, layers: Network, player: Player) -> Network:
        """Return the player's layers, edited."""
        return layers

    def init(self, first: Tensor, layer: Layer, part: str, at: Moment) -> Tensor:
        """Return the first values [K, ...] of a part of a layer."""
        return first

    def optimizer(self, optimizer: Optimizer, player: Player) -> Optimizer:
        """Return the player's optimiser, edited or another one."""
        return optimizer

    def phases(self, rounds: list[Round]) -> list[Round]:
        """Return the schedule that the loop walks round and round."""
        return rounds

    def build(self, gan: Gan) -> None:
        """Allocate memory, once all sizes are known."""

    # -- seams played in every step ----------------------------------------------------------------

    def weight(self, weight: Tensor, player: Player, layer: Layer) -> Tensor:
        """Return the kernel [K, ...] that the forward pass uses."""
        return weight

    def latent(self, z: Tensor, at: Moment) -> Tensor:
        """Return latents [K, B, Z] made of standard normal ones."""
        return z

    def sides(self, real: Tensor, fake: Tensor, at: Moment) -> tuple[Tensor, Tensor]:
        """Return what D's turn is given, [K, B, ...] each."""
        return real, fake

    def view(self, x: Tensor, at: Moment) -> Tensor:
        """Return what D is shown of x, real and fake alike, in both turns."""
        return x

    def target(self, target: Tensor, side: Side, at: Moment) -> Tensor:
        """Return the labels [K, U] of one side."""
        return target

    def adversary(self, step: Step) -> Tensor:
        """Return the loss [K, U] of the player whose turn it is."""
        raise AssertionError("the seam is played only for tricks that override it")

    def weigh(self, loss: Tensor, step: Step) -> Tensor:
        """Return the loss [K, U], every unit weighted."""
        return loss

    def penalty(self, step: Step) -> Tensor | None:
        """Return a term [K] that is added to the loss, or None in turns that have none."""
        return None

    def gate(self, step: Step) -> Tensor | None:
        """Return bool [K]: whether the player moves at all; None is always."""
        return None

    def gradient(self, gradient: Tensor, step: Step) -> Tensor:
        """Return the gradient [K, P] of the player whose turn it is."""
        return gradient

    def point(self, own: Tensor, rival: Tensor, step: Step) -> tuple[Tensor, Tensor]:
        """Return the point (own theta, rival's theta) at which the gradient is taken."""
        return own, rival

    def settle(self, step: Step) -> None:
        """Write memory, after a move; the only place that may."""

    # -- seams played at evaluation ----------------------------------------------------------------

    def sampler(self, generators: dict[str, Tensor], gan: Gan) -> dict[str, Tensor]:
        """Return the generators to score: name -> theta [K, P]."""
        return generators
