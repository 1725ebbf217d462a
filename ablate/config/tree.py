"""From a composed config tree to a frozen trial, and to what a trial must not depend on."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import MissingMandatoryValue

from ablate.config.catalog import look_in, parse
from ablate.config.keys import checked_keys
from ablate.config.sources import code_of
from ablate.core.recipe import PRECISIONS
from ablate.data import Dataset
from ablate.data.fits import check_fits
from ablate.data.option import decisive
from ablate.errors import UserError, unknown
from ablate.secrets import hidden
from ablate.trial import Trial

# Where files lie is the machine's business; what is in them is hashed into `data.fingerprint`.
PATHS = ("root", "path", "cache")
WHOLE = {  # the fewest, and more than anybody means
    "batch_size": (1, 2**20), "latent_dim": (1, 2**20), "images": (1, 10**12),
    "evaluations": (1, 10**5), "samples": (2, 10**9), "curve_points": (1, 10**6),
    "width": (1, 2**16), "depth": (-1000, 1000), "neighbours": (1, 1000),
}  # fmt: skip
SWITCHES = ("channels_last",)


def join_sources(sources: Sequence[Any]) -> None:
    """Take the tricks of every config folder that Hydra searched into the catalog."""
    folders = [Path(s.path.removeprefix("file://")) for s in sources if s.schema == "file"]
    look_in(*folders)


def trial_of(config: DictConfig | dict[str, Any], dataset: Dataset) -> Trial:
    """Return the trial that a composed config describes.

    Args:
        config: The whole tree, resolved or not.
        dataset: What `config.data` names; its fingerprint becomes part of the trial, so that two
            folders with other images in them are never one trial.

    Raises:
        UserError: A value is missing or cannot be.
    """
    tree = resolved(config)
    data = {**decisive(without_paths(tree["data"])), "fingerprint": dataset.fingerprint}
    tricks = tricks_of(tree["trick"])
    trial = Trial(
        tricks=tricks,
        seed=seed_of(tree["seed"], "seed"),
        data=data,
        model=tree["model"],
        budget=tree["budget"],
        metric=without_paths(tree["metric"]),
        train=tree["train"],
        code=code_of(tricks, tree["model"]),
    )
    refuse_secrets(trial)
    for part in ("model", "budget", "metric", "train"):
        check_numbers(part, getattr(trial, part))
    samples = trial.budget["samples"]
    each = math.prod(dataset.shape) * dataset.train.images.element_size()
    check_fits(f"budget.samples={samples}", samples * each)
    if trial.train["precision"] not in PRECISIONS:
        raise unknown("train.precision", str(trial.train["precision"]), PRECISIONS)
    return trial


def refuse_secrets(trial: Trial) -> None:
    """Refuse what must not stand in a trial: everybody who has the results reads it.

    Raises:
        UserError: A text in it is one that nobody should read.
    """
    for part, content in trial.content().items():
        if hidden(texts(content), part) != texts(content):
            raise UserError(
                f"{part} holds what looks like a secret, and trials are written with their "
                "results; leave it out and let your code read it from the environment."
            )


def texts(value: Any) -> Any:
    """Return a tree with nothing but texts: a number under any name is no secret here."""
    if isinstance(value, Mapping):
        return {key: texts(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [texts(one) for one in value]
    return value if isinstance(value, str) else None


def resolved(config: DictConfig | dict[str, Any]) -> dict[str, Any]:
    """Return the tree as plain values, interpolations resolved; such a tree as it is.

    Raises:
        UserError: A value that has no default was not given, or a key is not one of ours.
    """
    if isinstance(config, dict):
        return config
    try:
        tree: Any = OmegaConf.to_container(config, resolve=True, throw_on_missing=True)
    except MissingMandatoryValue as error:
        key = str(getattr(error, "full_key", ""))
        raise UserError(f"{key} has no default; type {key}=...") from error
    hidden(tree)  # so that no sentence shows what a yaml or the environment has brought in
    return checked_keys(tree)


def tricks_of(node: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return name -> settings of the selected tricks.

    Raises:
        UserError: A setting is given for a trick that is not selected.
    """
    for name, settings in node.items():
        if not isinstance(settings, Mapping) or "_target_" not in settings:
            others = ",".join(other for other in node if other != name)
            raise UserError(
                f"Settings are given for trick {name}, which is not selected; "
                f"type trick=[{others + ',' if others else ''}{name}] or drop them."
            )
    return {name: dict(parse(name, settings).settings) for name, settings in node.items()}


def without_paths(part: Mapping[str, Any]) -> dict[str, Any]:
    """Return a part of the tree without its paths."""
    return {key: value for key, value in part.items() if key not in PATHS}


def seed_of(value: Any, key: str) -> int:
    """Return a seed.

    Raises:
        UserError: It is not a whole number from 0.
    """
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**31:
        raise UserError(f"{key}={value} is no seed; type a whole number from 0 to 2147483647.")
    return value


def check_numbers(part: str, values: Mapping[str, Any]) -> None:
    """Refuse counts that are no counts and switches that are no switches.

    Raises:
        UserError: The sentence names the key and what it may be.
    """
    for key, value in values.items():
        if key in SWITCHES and not isinstance(value, bool):
            raise UserError(f"{part}.{key}={value} is not a switch; type true or false.")
        if key not in WHOLE:
            continue
        low, high = WHOLE[key]
        whole = isinstance(value, int) and not isinstance(value, bool)
        if not (whole and value >= low) and not is_more(value, high):
            raise UserError(f"{part}.{key}={value} must be a whole number of at least {low}.")
        if is_more(value, high):
            raise UserError(f"{part}.{key}={value} is more than {high:,}; type a smaller number.")


def is_more(value: Any, high: float) -> bool:
    """Return whether a value is a number above a bound."""
    return isinstance(value, int | float) and value > high
