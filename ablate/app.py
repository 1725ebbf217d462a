"""The Hydra application: one task function, for trials and for the workers of a study."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ablate.catalog import nearest
from ablate.compose import conf_folder, join_sources
from ablate.errors import UserError
from ablate.overrides import yaml_of

if TYPE_CHECKING:
    from omegaconf import DictConfig


FLAGS = ("-m", "--multirun", "-c", "--cfg", "-p", "--package", "--resolve", "-i", "--info")
FLAGS += ("-cd", "--config-dir", "--hydra-help")


class Refusal(BaseException):
    """Carries a mistake past Hydra, which would print a line of its own for an `Exception`."""

    def __init__(self, error: UserError) -> None:
        super().__init__(str(error))
        self.error = error


def train(arguments: list[str]) -> None:
    """Run `ablate train`."""
    launch("config", arguments)


def sweep(study: str, arguments: list[str], folder: Path) -> None:
    """Run `ablate sweep`: a study's yaml is the primary config, and the config tree stands behind it.

    Args:
        study: Name of a ready study or path of a yaml.
        arguments: Overrides.
        folder: Of the ready studies.
    """
    file = yaml_of(study, folder).resolve()
    own, arguments = own_folder(arguments)
    paths = [f"--config-dir={file.parent}"]
    if own is not None:
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
    """Let Hydra read the arguments, compose and call `task`; its errors are raised, not printed."""
    import hydra

    check_flags(arguments)
    os.environ["HYDRA_FULL_ERROR"] = "1"
    # An installed command has its own folder first on the path; a user's trick lies where they are.
    if os.getcwd() not in sys.path:
        sys.path.append(os.getcwd())
    before, sys.argv = sys.argv, ["ablate", *arguments]
    try:
        hydra.main(config_path=str(conf_folder()), config_name=config_name, version_base=None)(
            task
        )()
    except Refusal as refusal:
        raise refusal.error from None
    finally:
        sys.argv = before


def task(config: DictConfig) -> Any:
    """Train one trial, or work on a study until nothing is left of it.

    Returns:
        What the job tells whoever launched it; results are in files.
    """
    from hydra.core.hydra_config import HydraConfig

    join_sources(HydraConfig.get().runtime.config_sources)
    if "study" in config:
        from ablate.plan.worker import work

        return work(config)
    from ablate.single import is_multirun, run_single

    try:
        return run_single(config)
    except UserError as error:
        if is_multirun():
            raise
        raise Refusal(error) from error
