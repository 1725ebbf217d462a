"""The Hydra application: one task function, for trials and for the workers of a study.

What brings torch with it is imported by the task, so that a mistyped override is told at once.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig

from ablate.catalog import conf_root, look_in, nearest
from ablate.errors import UserError
from ablate.interrupt import leave_signals_to_parent
from ablate.overrides import yaml_of

FLAGS: tuple[str, ...] = (
    "-m",
    "--multirun",
    "-c",
    "--cfg",
    "-p",
    "--package",
    "--resolve",
    "-i",
    "--info",
)
FLAGS += ("-cd", "--config-dir", "--hydra-help")


class Refusal(BaseException):
    """Carries a mistake past Hydra, which would print a line of its own for an `Exception`."""

    def __init__(self, error: UserError) -> None:
        super().__init__(str(error))
        self.error = error


def train(arguments: list[str]) -> None:
    """Run `ablate train`."""
    own, _ = own_folder(arguments)
    if own is not None:
        look_in(own)
    launch("config", arguments)


def sweep(study: str, arguments: list[str], folder: Path) -> None:
    """Run `ablate sweep`: a study's yaml is the primary config, the config tree stands behind it.

    Args:
        study: Name of a ready study or path of a yaml.
        arguments: Overrides.
        folder: Of the ready studies.
    """
    file = yaml_of(study, folder).resolve()
    own, arguments = own_folder(arguments)
    look_in(file.parent)
    paths = [f"--config-dir={file.parent}"]
    if own is not None:
        look_in(own)
        quoted = str(own).replace("'", r"\'")
        paths.append(f"hydra.searchpath=['file://{quoted}']")
    launch(file.stem, ["--multirun", *paths, *arguments])


def own_folder(arguments: list[str]) -> tuple[Path | None, list[str]]:
    """Return the folder behind --config-dir, and the arguments without it."""
    rest, found, it = [], None, iter(arguments)
    for argument in it:
        flag, _, value = argument.partition("=")
        if flag in ("--config-dir", "-cd"):
            found = Path(value or next(it, "")).expanduser().resolve()
        else:
            rest.append(argument)
    return found, rest


def check_flags(arguments: list[str]) -> None:
    """Refuse options that Hydra does not have, before it prints its usage.

    Raises:
        UserError: The sentence names the nearest that it has.
    """
    for argument in arguments:
        flag = argument.partition("=")[0]
        if flag.startswith("-") and flag not in FLAGS:
            raise UserError(f"There is no option '{flag}'; {nearest(flag, FLAGS)}.")


def launch(config_name: str, arguments: list[str]) -> None:
    """Let Hydra read the arguments, compose and call `task`; its errors are raised."""
    check_flags(arguments)
    os.environ["HYDRA_FULL_ERROR"] = "1"
    # An installed command has its own folder first on the path; a user's trick lies where they are.
    if os.getcwd() not in sys.path:
        sys.path.append(os.getcwd())
    before, sys.argv = sys.argv, ["ablate", *arguments]
    try:
        hydra.main(
            config_path=str(conf_root() / "conf"), config_name=config_name, version_base=None
        )(task)()
    except Refusal as refusal:
        raise refusal.error from None
    finally:
        sys.argv = before


def task(config: DictConfig) -> Any:
    """Train one trial, or work on a study until nothing is left of it.

    Returns:
        What the job tells whoever launched it; results are in files.
    """
    if "study" in config:
        leave_signals_to_parent()  # before the seconds that importing torch takes
        from ablate.plan.worker import work  # noqa: PLC0415

        return work(config)
    from ablate.single import run_single  # noqa: PLC0415

    try:
        return run_single(config)
    except UserError as error:
        if HydraConfig.get().mode == RunMode.MULTIRUN:
            raise
        raise Refusal(error) from error
