"""What a setting of a trick may be."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from torch import Tensor

from ablate.errors import UserError

Strength = Tensor  # [K], one number per trial

LARGEST = 3.4e38  # of float32

MANY = 2**20  # more than anybody means by a whole number


class Setting(NamedTuple):
    """What a setting may be; `numeric` ones are a number per trial, all others are structure."""

    kind: str
    low: float = -math.inf
    high: float = math.inf
    choices: tuple[str, ...] = ()
    off: float | None = None

    @property
    def numeric(self) -> bool:
        """Whether arms that differ in this setting share one program."""
        return self.kind == "number"

    def check(self, owner: str, key: str, value: Any) -> Any:
        """Return the value, converted.

        Raises:
            UserError: The value is not one that this setting can take.
        """
        place = f"trick.{owner}.{key}"
        if self.kind == "choice":
            value = str(value).lower() if isinstance(value, bool) else value
            if value not in self.choices:
                raise UserError(
                    f"{place}={value} is not a choice; type one of {', '.join(self.choices)}."
                )
            return value
        if self.kind == "flag":
            if not isinstance(value, bool):
                raise UserError(f"{place}={value} is not a switch; type true or false.")
            return value
        if value is None and self.off is not None:
            return self.off
        wanted = "a whole number" if self.kind == "integer" else "a number"
        good = isinstance(value, int | float) and not isinstance(value, bool)
        good = good and -LARGEST <= value <= LARGEST  # nan is neither
        if not good or (self.kind == "integer" and value != int(value)):
            raise UserError(f"{place}={value} is not {wanted}.")
        if not self.low <= value <= self.high:
            raise UserError(
                f"{place}={value} is out of range; type {wanted} "
                f"from {self.low:g} to {self.high:g}."
            )
        return int(value) if self.kind == "integer" else float(value)


def number(low: float = -math.inf, high: float = math.inf, off: float | None = None) -> Any:
    """Declare a number per trial in [low, high]; `off` is what `null` stands for."""
    return Setting("number", low, high, off=off)


def integer(low: int, high: float = MANY, off: int | None = None) -> Any:
    """Declare a whole number that is structure; `off` is what `null` stands for."""
    return Setting("integer", low, high, off=off)


def factor(low: float, high: float) -> Any:
    """Declare a number in [low, high] that is structure: shapes depend on it."""
    return Setting("factor", low, high)


def choice(*choices: str) -> Any:
    """Declare one of several names."""
    return Setting("choice", choices=choices)


def flag() -> Any:
    """Declare a switch that is structure."""
    return Setting("flag")
