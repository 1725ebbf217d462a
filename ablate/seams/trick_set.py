"""A set of tricks, which plays every seam as one trick does.

Legend: K trials, B batch, U units that D scores (B, or B / m packs), Z latent, P parameters.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from ablate.core.layers import Layer, Network
from ablate.core.optim import Optimizer
from ablate.core.recipe import Player, Recipe
from ablate.core.rng import Moment
from ablate.core.step import Gan, Side, Step
from ablate.core.turn import Round
from ablate.seams.base import Trick
from ablate.seams.rules import Problem, clash, doubt, missing

T = TypeVar("T")

SEAMS = (
    "recipe", "network", "init", "optimizer", "phases", "build",  # played once
    "weight", "latent", "sides", "view", "target", "adversary", "weigh", "penalty", "gate",
    "gradient", "point", "settle",  # in every step
    "sampler",  # at evaluation
)  # fmt: skip


class TrickSet(nn.Module):
    """A set of tricks, which is itself a trick: every seam asks those members that override it.

    Order inside a seam is (rank, name), so that sets have no order of listing.
    """

    def __init__(self, tricks: Iterable[Trick] = ()) -> None:
        super().__init__()
        ordered = sorted(tricks, key=lambda t: (t.rank, t.name))
        self.members = nn.ModuleDict({trick.name: trick for trick in ordered})
        self.seams: dict[str, list[Trick]] = {
            seam: [trick for trick in ordered if overrides(trick, seam)] for seam in SEAMS
        }

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name in self.members

    def __iter__(self) -> Iterator[Trick]:
        return iter(self.members.values())  # type: ignore[arg-type]

    def marks(self) -> dict[str, list[str]]:
        """Return every trait of the set with the names of the tricks that have it."""
        found: dict[str, list[str]] = {}
        for trick in self:
            for trait in {*trick.marks(), trick.name}:
                found.setdefault(trait, []).append(trick.name)
        if not self.seams["adversary"]:  # the baseline's loss has targets of any kind
            for trait in ("soft_targets", "hard_targets", "anchored", "separable"):
                found.setdefault(trait, []).append("the baseline")
        return found

    def problems(self, recipe: Recipe, surgery: bool = True) -> list[Problem]:
        """Return everything that is wrong or doubtful about this set, all at once.

        Args:
            recipe: The plain choices of the run, before the set edits them.
            surgery: Whether the networks are lists of layers that can be edited.
        """
        edited = self.recipe(recipe)
        found = [*self.clashes(), *self.broken_rules()]
        for trick in self:
            if not surgery:
                found.extend(self.against_foreign(trick, recipe))
            found.extend(trick.problems(self, edited))
        return found

    def against_foreign(self, trick: Trick, recipe: Recipe) -> Iterator[Problem]:
        """Yield what a trick would do to networks that are not ours: nothing, or half of it."""
        after = trick.recipe(recipe)
        if self.works_on_layers(trick):
            yield Problem(
                True,
                f"Trick {trick.name} works on layers, and model=module brings networks "
                f"whose layers are not ours; drop {trick.name} or choose another model.",
            )
        if (after.width, after.depth) != (recipe.width, recipe.depth):
            yield Problem(
                True,
                f"Trick {trick.name} sizes networks of ours, and model=module brings its own; give "
                "the sizes in model.generator_kwargs and model.discriminator_kwargs, or drop "
                f"{trick.name}.",
            )
        if after.image_range != recipe.image_range:
            yield Problem(
                True,
                f"Trick {trick.name} changes G's last function with the range of pixels, and "
                f"model=module brings a G that ends in [-1, 1]; drop {trick.name} or choose "
                "another model.",
            )

    def works_on_layers(self, trick: Trick) -> bool:
        """Return whether a trick needs networks that are lists of our layers."""
        edits = any(trick in self.seams[seam] for seam in ("network", "init", "weight"))
        return edits or "reads_features" in trick.marks()

    def broken_rules(self) -> Iterator[Problem]:
        """Yield what the declared needs, exclusions and doubts say about this set."""
        marks = self.marks()
        for trick in self:
            for trait, why in trick.needs.items():
                if trait not in marks:
                    yield Problem(True, missing(trick.name, trait, why, marks))
            for refuse, rules in ((True, trick.refusals()), (False, trick.doubts)):
                for trait, why in rules.items():
                    for other in marks.get(trait, ()):
                        if other != trick.name:
                            sentence = clash if refuse else doubt
                            yield Problem(refuse, sentence(trick.name, other, why))

    def clashes(self) -> Iterator[Problem]:
        """Yield the seams that take exactly one trick and were given several."""
        names = [t.name for t in self.seams["adversary"]]
        if len(names) > 1:
            yield Problem(
                True, f"Tricks {names} each define the adversarial loss; keep one of them."
            )

    def plays(self, seam: str) -> bool:
        """Return whether a member overrides a seam."""
        return bool(self.seams[seam])

    def pipe(self, seam: str, value: T, *rest: Any) -> T:
        """Return the value after every member that overrides the seam had it."""
        for trick in self.seams[seam]:
            value = getattr(trick, seam)(value, *rest)
        return value

    # -- the seams: one typed line each; `Trick` says what they are --------------------------------

    def recipe(self, recipe: Recipe) -> Recipe:
        """Pipe the plain choices."""
        return self.pipe("recipe", recipe)

    def network(self, layers: Network, player: Player) -> Network:
        """Pipe the layers."""
        return self.pipe("network", layers, player)

    def init(self, first: Tensor, layer: Layer, part: str, at: Moment) -> Tensor:
        """Pipe the first values [K, ...]."""
        return self.pipe("init", first, layer, part, at)

    def optimizer(self, optimizer: Optimizer, player: Player) -> Optimizer:
        """Pipe the optimiser."""
        return self.pipe("optimizer", optimizer, player)

    def phases(self, rounds: list[Round]) -> list[Round]:
        """Pipe the schedule."""
        return self.pipe("phases", rounds)

    def build(self, gan: Gan) -> None:
        """Let every member allocate its memory."""
        for trick in self.seams["build"]:
            trick.build(gan)

    def weight(self, weight: Tensor, player: Player, layer: Layer) -> Tensor:
        """Pipe the kernel [K, ...]."""
        return self.pipe("weight", weight, player, layer)

    def latent(self, z: Tensor, at: Moment) -> Tensor:
        """Pipe the latents [K, B, Z]."""
        return self.pipe("latent", z, at)

    def sides(self, real: Tensor, fake: Tensor, at: Moment) -> tuple[Tensor, Tensor]:
        """Pipe both sides [K, B, ...]."""
        for trick in self.seams["sides"]:
            real, fake = trick.sides(real, fake, at)
        return real, fake

    def view(self, x: Tensor, at: Moment) -> Tensor:
        """Pipe what D is shown [K, B, ...]."""
        return self.pipe("view", x, at)

    def target(self, target: Tensor, side: Side, at: Moment) -> Tensor:
        """Pipe the labels [K, U]."""
        return self.pipe("target", target, side, at)

    def adversary(self, step: Step) -> Tensor | None:
        """Return the loss [K, U] of the one member that defines it, or None."""
        return next((trick.adversary(step) for trick in self.seams["adversary"]), None)

    def weigh(self, loss: Tensor, step: Step) -> Tensor:
        """Pipe the loss [K, U]."""
        return self.pipe("weigh", loss, step)

    def penalty(self, step: Step) -> Tensor | None:
        """Return the sum [K] of what the members add, or None."""
        asked = [trick.penalty(step) for trick in self.seams["penalty"]]
        terms = [term for term in asked if term is not None]
        return sum(terms[1:], terms[0]) if terms else None

    def gate(self, step: Step) -> Tensor | None:
        """Return whether all members let the player move, bool [K]; None where nobody asks."""
        asked = [trick.gate(step) for trick in self.seams["gate"]]
        gates = [gate for gate in asked if gate is not None]
        return torch.stack(gates).all(0) if gates else None

    def gradient(self, gradient: Tensor, step: Step) -> Tensor:
        """Pipe the gradient [K, P]."""
        return self.pipe("gradient", gradient, step)

    def point(self, own: Tensor, rival: Tensor, step: Step) -> tuple[Tensor, Tensor]:
        """Pipe the point, [K, P] each."""
        for trick in self.seams["point"]:
            own, rival = trick.point(own, rival, step)
        return own, rival

    def settle(self, step: Step) -> None:
        """Let every member write its memory."""
        for trick in self.seams["settle"]:
            trick.settle(step)

    def sampler(self, generators: dict[str, Tensor], gan: Gan) -> dict[str, Tensor]:
        """Pipe the generators to score."""
        return self.pipe("sampler", generators, gan)


def overrides(trick: Trick, seam: str) -> bool:
    """Return whether a trick plays a seam."""
    return getattr(type(trick), seam) is not getattr(Trick, seam)
