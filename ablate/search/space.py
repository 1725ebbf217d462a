"""The settings of an arm that a search may move, as Optuna's distributions.

A range stands in a trick's yaml under `search:`. `{low, high}` with `log: true` where it is wide,
`{choices: [...]}`, and `above: other` for the upper end of a range whose lower end is searched too:
what is searched is then its share of the way from the other's value to `high`, so that the two can
never be swapped.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

from ablate.config.catalog import trick_class
from ablate.errors import UserError, unknown
from ablate.seams.setting import Setting

Tricks = Mapping[str, Mapping[str, Any]]
Ranges = Mapping[str, Mapping[str, Mapping[str, Any]]]
SHARE = "@share"


class Space:
    """What is searched in one arm.

    Attributes:
        distributions: Parameter, such as `r1.gamma`, -> Optuna's distribution.
    """

    def __init__(
        self,
        tricks: Tricks,
        ranges: Ranges,
        chosen: Sequence[str] | None = None,
    ) -> None:
        """Collect the ranges of the arm's tricks.

        Args:
            tricks: The arm's tricks with all of their settings.
            ranges: Trick -> setting -> range, as in its yaml.
            chosen: The parameters to search; None for all.

        Raises:
            UserError: A range is none.
        """
        self.tricks = tricks
        self.kinds: dict[str, Setting] = {}
        self.above: dict[str, tuple[str, float]] = {}
        self.distributions: dict[str, BaseDistribution] = {}
        for trick in sorted(tricks):
            known = trick_class(trick).settings
            for key, given in ranges.get(trick, {}).items():
                name = f"{trick}.{key}"
                if chosen is not None and name not in chosen:
                    continue
                if key not in known:
                    raise unknown(f"setting in trick.{trick}.search", key, known)
                self.add(trick, key, known[key], given)

    def add(self, trick: str, key: str, setting: Setting, given: Mapping[str, Any]) -> None:
        """Take one range."""
        name, place = f"{trick}.{key}", f"trick.{trick}.search.{key}"
        self.kinds[name] = setting
        other = given.get("above")
        if other is None:
            self.distributions[name] = distribution(place, setting, given)
            return
        if other not in self.tricks[trick]:
            raise UserError(f"{place}.above={other} names no setting of {trick}.")
        self.above[name] = (other, end(place, setting, given, "high"))
        self.distributions[name + SHARE] = FloatDistribution(0.0, 1.0)

    def settings(self, params: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
        """Return the arm's tricks with the values of `params` in place."""
        found = {trick: dict(settings) for trick, settings in self.tricks.items()}
        for name, value in params.items():
            if not name.endswith(SHARE):
                self.put(found, name, value)
        for name, (other, high) in self.above.items():
            low = found[name.split(".")[0]][other]
            if name + SHARE in params:
                self.put(found, name, low + params[name + SHARE] * max(high - low, 0.0))
        return found

    def put(self, found: dict[str, dict[str, Any]], name: str, value: Any) -> None:
        """Set a value; the arm's own stays to the last bit, so that it is not trained anew."""
        trick, key = name.split(".")
        own, kind = found[trick][key], self.kinds[name].kind
        if kind == "choice" or isinstance(value, bool):
            found[trick][key] = value
        elif own is None or not math.isclose(value, own, rel_tol=1e-9, abs_tol=1e-12):
            found[trick][key] = round(value) if kind == "integer" else float(value)

    def defaults(self) -> dict[str, Any]:
        """Return the parameters nearest to the arm's own settings."""
        found = {}
        for name, known in self.distributions.items():
            trick, key = name.removesuffix(SHARE).split(".")
            value = self.tricks[trick][key]
            if name.endswith(SHARE):
                other, high = self.above[f"{trick}.{key}"]
                low = self.tricks[trick][other]
                value = (value - low) / (high - low) if high > low else 0.0
            found[name] = nearest_in(known, value)
        return found

    def grid(self, points: int) -> dict[str, list[Any]]:
        """Return so many values of every parameter, evenly spaced on its own scale."""
        return {name: values(known, points) for name, known in self.distributions.items()}


def distribution(place: str, setting: Setting, given: Mapping[str, Any]) -> BaseDistribution:
    """Return Optuna's form of a range.

    Raises:
        UserError: Its ends are swapped, a log range reaches 0, or it is no range at all.
    """
    if "choices" in given:
        return CategoricalDistribution([setting.check("", "", v) for v in given["choices"]])
    low, high = (end(place, setting, given, side) for side in ("low", "high"))
    log = bool(given.get("log", False))
    if low > high:
        raise UserError(
            f"{place} runs from low={low:g} to high={high:g}; type a {place}.low of at most "
            f"{high:g}."
        )
    if log and low <= 0:
        raise UserError(
            f"{place} is a log range from low={low:g}; type a {place}.low above 0 or "
            f"{place}.log=false."
        )
    if setting.kind == "integer":
        return IntDistribution(int(low), int(high), log=log)
    return FloatDistribution(low, high, log=log)


def end(place: str, setting: Setting, given: Mapping[str, Any], side: str) -> float:
    """Return one end of a range.

    Raises:
        UserError: It is missing, no number, or outside what the setting may be.
    """
    value = given.get(side)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise UserError(f"{place}.{side}={value} is no number; type {place}.{side}=0.5.")
    if not setting.low <= value <= setting.high:
        raise UserError(
            f"{place}.{side}={value:g} is out of range; type a number from {setting.low:g} to "
            f"{setting.high:g}."
        )
    return value


def nearest_in(known: BaseDistribution, value: Any) -> Any:
    """Return the value of a distribution that is nearest to `value`; the middle for none."""
    if isinstance(known, CategoricalDistribution):
        return value if value in known.choices else known.choices[0]
    assert isinstance(known, FloatDistribution | IntDistribution)
    if value is None:
        value = math.sqrt(known.low * known.high) if known.log else (known.low + known.high) / 2
    value = min(max(value, known.low), known.high)
    return round(value) if isinstance(known, IntDistribution) else float(value)


def values(known: BaseDistribution, points: int) -> list[Any]:
    """Return values of a distribution, both ends included."""
    if isinstance(known, CategoricalDistribution):
        return list(known.choices)
    assert isinstance(known, FloatDistribution | IntDistribution)
    there, back = (math.log, math.exp) if known.log else (float, float)
    low, high = there(known.low), there(known.high)
    steps = max(points - 1, 1)
    found = [back(low + (high - low) * i / steps) for i in range(points)]
    return list(dict.fromkeys(nearest_in(known, value) for value in found))
