"""An arm is a set of tricks with its settings: its label must name one, and only one."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any

import pandas as pd

from ablate.errors import UserError

MOST_NAMED = 8  # arms in a sentence


def name_arms(frame: pd.DataFrame, repeats: Sequence[object] = ()) -> pd.DataFrame:
    """Return `frame` with an `arm` that is the same for equal trick sets and differs for others.

    Equal sets under several labels take the first in the alphabet. Different sets under one label
    get the settings behind it in which they differ: `r1 (r1.gamma=1)`.

    Args:
        frame: Results as `store.read` gives them.
        repeats: `Decisions.repeats`; where a search was repeated every repeat has settings of its
            own, and an arm is what its plan calls so.
    """
    if len(repeats) > 1:
        return frame
    label = frame.groupby("tricks")["arm"].min()
    names = {
        tricks: _told_apart(str(tricks), name, list(label.index[label == name]))
        for tricks, name in label.items()
    }
    return frame.assign(arm=frame["tricks"].map(names).astype("str"))


def reference_of(frame: pd.DataFrame, reference: str | None = None) -> str:
    """Return the arm that all others are compared with: `reference`, or the one without tricks.

    Raises:
        UserError: There is no such arm.
    """
    arms = sorted(frame["arm"].unique())
    if reference is None:
        bare = sorted(frame.loc[frame["tricks"] == "{}", "arm"].unique())
        if not bare:
            raise UserError(
                f"No arm is without tricks; give reference=, one of {_few(arms)}.",
                f"No arm is without tricks; type --reference ARM with one of {_few(arms)}.",
            )
        return str(bare[0])
    if reference not in arms:
        near = get_close_matches(reference, arms, 3, cutoff=0.4) or arms
        raise UserError(
            f"There is no arm {reference!r} to be the reference; choose one of {_few(near)}."
        )
    return reference


def _few(arms: Sequence[str]) -> str:
    more = f" and {len(arms) - MOST_NAMED} more" if len(arms) > MOST_NAMED else ""
    return f"{list(arms[:MOST_NAMED])}{more}"


def _told_apart(tricks: str, name: str, same_name: list[str]) -> str:
    if len(same_name) == 1:
        return name
    flat = [flatten(json.loads(other)) for other in same_name]
    own = flatten(json.loads(tricks))
    keys = sorted({key for settings in flat for key in settings})
    differing = [key for key in keys if len({repr(settings.get(key)) for settings in flat}) > 1]
    told = [f"{key}={own[key]}" for key in differing if key in own]
    return f"{name} ({', '.join(told)})" if told else name


def flatten(settings: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return `{"a": {"b": 1}}` as `{"a.b": 1}`; an empty mapping stays, so that it is seen."""
    flat: dict[str, Any] = {}
    for key, value in settings.items():
        if isinstance(value, Mapping) and value:
            flat |= flatten(value, f"{prefix}{key}.")
        else:
            flat[prefix + key] = value
    return flat
