"""What tricks need, refuse and doubt of each other, and the sentences that say so."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, Protocol

from torch import nn


class Problem(NamedTuple):
    """Something that a set of tricks should not do: refused, or run with the record flagged.

    Attributes:
        refuse: Rather than run.
        sentence: What is wrong, and what to type.
        idle: The trick that changes nothing, where that is what is doubted.
    """

    refuse: bool
    sentence: str
    idle: str = ""


Rules = Mapping[str, str]  # trait or trick name -> why


class Others(Protocol):
    """The set that a trick stands in, as the trick sees it."""

    @property
    def members(self) -> nn.ModuleDict:
        """Name -> trick."""

    def __contains__(self, name: object) -> bool:
        """Return whether a trick of a name is there."""

    def marks(self) -> dict[str, list[str]]:
        """Return every trait of the set with the names of the tricks that have it."""


TRAITS = {
    "soft_targets": "a loss with targets between 0 and 1",
    "hard_targets": "a loss with a class for every sample",
    "separable": "a loss that is a sum over real and fake",
    "anchored": "a loss whose logits have a zero level",
}


def missing(name: str, trait: str, why: str, marks: Mapping[str, list[str]]) -> str:
    """Return the sentence for a trait that nothing in the set has."""
    losses = marks.get("adversary_loss", [])
    if trait in TRAITS and losses:
        return (
            f"Trick {name} needs {TRAITS[trait]} and {losses[0]} is none: {why}; "
            f"drop {name} or {losses[0]}."
        )
    return f"Trick {name} needs {TRAITS.get(trait, trait)}: {why}; add one or drop {name}."


def clash(name: str, other: str, why: str) -> str:
    """Return the sentence for two tricks of which one refuses the other."""
    return f"Tricks {sorted((name, other))} exclude each other: {why}; drop one of them."


def doubt(name: str, other: str, why: str) -> str:
    """Return the sentence for two tricks that run together with the record flagged."""
    return f"{name} with {other}: {why}."
