"""The Hydra application: one task function, for trials and for the workers of a study.

What brings torch with it is imported by the task, so that a mistyped override is told at once.
"""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Callable
from contextlib import redirect_stdout
from io import StringIO
from itertools import accumulate, count
from pathlib import Path
from typing import Any

import hydra
import yaml
from hydra._internal.core_plugins import basic_sweeper
from hydra.core import utils as hydra_utils
from hydra.core.config_store import ConfigStore
from hydra.core.hydra_config import HydraConfig
from hydra.core.plugins import Plugins
from hydra.core.utils import JobReturn, JobStatus
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf

from ablate.config.catalog import conf_root, look_in
from ablate.config.messages import in_each_job, plain, refuse_choices, refuse_many, yaml_of
from ablate.errors import UserError, nearest
from ablate.plan.job_files import privately
from ablate.runner.interrupt import leave_signals_to_parent
from ablate.runner.orphan import watch_parent
from ablate.secrets import hidden, hide_arguments, said

FLAGS = ("-m", "--multirun", "--resolve", "--info", "-i", "--hydra-help")
# Hydra 1.3 warns where its defaults are not asked for by number, 1.4 where they are.
DEFAULTS: dict[str, Any] = {"version_base": None} if hydra.__version__.startswith("1.3") else {}
STUDIES = count(1)
SHOWING = {"--cfg", "-c", "--info", "-i", "--hydra-help"}
MOST_DEPTH, MOST_ENTRIES = 50, 20_000  # of a study's yaml
MOST_WORDS, MOST_LETTERS = 1000, 100_000  # of a command line
VALUED = ("--config-dir", "-cd", "--cfg", "-c", "--package", "-p")


class Refusal(BaseException):
    """Carries a mistake, or a broken output, past Hydra, which would print a line of its own."""

    def __init__(self, error: UserError | OSError) -> None:
        super().__init__(str(error))
        self.error = error


def train(arguments: list[str]) -> None:
    """Run `ablate train`."""
    launch("config", arguments)


def sweep(study: str, arguments: list[str], folder: Path) -> None:
    """Run `ablate sweep`."""
    launch(registered(study, folder), ["--multirun", *more_trials(arguments)])


def more_trials(arguments: list[str]) -> list[str]:
    """Return the arguments with `--add-trials N` as the override that it stands for."""
    found, rest = list[str](), iter(arguments)
    for argument in rest:
        flag, _, value = argument.partition("=")
        more = flag == "--add-trials"
        found.append(f"search.add={value or next(rest, '')}" if more else argument)
    return found


def plan(study: str, arguments: list[str], folder: Path) -> None:
    """Run `ablate plan`: without --multirun, Hydra calls no sweeper."""
    launch(registered(study, folder), arguments)


def registered(study: str, folder: Path) -> str:
    """Return the name under which Hydra finds a study.

    Its yaml is the primary config, the config tree stands behind it. It is handed to Hydra by
    itself: with the folder it lies in on the search path, every folder beside it would be a group
    of choices, and `out=` break where there is one called `out`.

    Args:
        study: Name of a ready study or path of a yaml.
        folder: Of the ready studies.
    """
    file = yaml_of(study, folder)
    # No file on the search path is called so, and no earlier study of this process.
    name = f"study-{file.stem}-{next(STUDIES)}"
    ConfigStore.instance().store(name=name, node=node_of(file))
    return name


def node_of(file: Path) -> DictConfig:
    """Return the content of a study's yaml; its results go to a folder of its name.

    Raises:
        UserError: It cannot be read or is no study.
    """
    try:
        refuse_tangled(file)
        node = OmegaConf.load(file)
    except UserError:
        raise
    except (yaml.YAMLError, OSError, ValueError, RecursionError) as error:
        line = " ".join(str(error).split())
        raise UserError(f"{file} cannot be read: {line}") from error
    if not isinstance(node, DictConfig) or "defaults" not in node:
        raise UserError(
            f"{file} is no study; it must start with `defaults: [study, override trick: [...], "
            "_self_]`, as those in sweeps/ do."
        )
    node.setdefault("out", f"results/{file.stem}")
    return node


def refuse_tangled(file: Path) -> None:
    """Refuse a yaml that is too long or too deep, or that grows when it is read.

    A few lines of aliases inside of what other aliases name are as long as a library.

    Raises:
        UserError: It is.
    """
    anchored = [False]  # of every collection that is open
    for entries, event in enumerate(yaml.parse(file.read_text("utf-8"), yaml.SafeLoader)):
        if isinstance(event, yaml.AliasEvent) and anchored[-1]:
            raise UserError(f"{file} has the alias *{event.anchor} inside an anchor; write it out.")
        if isinstance(event, yaml.CollectionStartEvent):
            anchored.append(anchored[-1] or event.anchor is not None)
        elif isinstance(event, yaml.CollectionEndEvent):
            anchored.pop()
        if len(anchored) > MOST_DEPTH or entries > MOST_ENTRIES:
            raise UserError(
                f"{file} is deeper than {MOST_DEPTH} levels or has more than {MOST_ENTRIES:,} "
                "entries; a study needs a few dozen."
            )


def refuse_long(overrides: list[str]) -> None:
    """Refuse a command line that Hydra would read for minutes, or not at all.

    Raises:
        UserError: It has too many words, or one that is too deep.
    """
    if len(overrides) > MOST_WORDS:
        raise UserError(
            f"The command has {len(overrides):,} settings; put them into a yaml, or type at most "
            f"{MOST_WORDS:,}."
        )
    for word in overrides:
        steps = [(letter in "[{(") - (letter in "]})") for letter in word[:MOST_LETTERS]]
        if len(word) > MOST_LETTERS or max(accumulate(steps), default=0) > MOST_DEPTH:
            raise UserError(
                f"The setting {word[:40]}... is too long or nested too often; put it into a yaml."
            )


def sorted_out(arguments: list[str]) -> tuple[dict[str, str], list[str]]:
    """Return options with their values, and overrides: a person mixes them, Hydra does not.

    Raises:
        UserError: There is no such option; the sentence names the nearest.
    """
    options: dict[str, str] = {}
    overrides, rest = [], iter(arguments)
    for argument in rest:
        flag, _, value = argument.partition("=")
        if not argument.startswith("-"):
            overrides.append(argument)
        elif flag in VALUED:
            options[flag] = value or next(rest, "")
        elif flag in FLAGS:
            options[flag] = ""
        else:
            raise UserError(f"There is no option '{flag}'; {nearest(flag, [*VALUED, *FLAGS])}.")
    return options, overrides


def own_folder(options: dict[str, str]) -> None:
    """Take the tricks of the folder behind --config-dir into the catalog.

    Raises:
        UserError: There is no such folder.
    """
    name = options.get("--config-dir", options.get("-cd"))
    if name is None:
        return
    folder = Path(name).expanduser()
    if not folder.is_dir():
        raise UserError(f"There is no folder {name}; type --config-dir DIR with trick/ in it.")
    look_in(folder.resolve())


def launch(config_name: str, arguments: list[str]) -> None:
    """Let Hydra read the arguments, compose and call `task`; its errors are raised."""
    options, overrides = sorted_out(arguments)
    own_folder(options)
    refuse_long(overrides)
    refuse_choices(overrides)
    if options.keys() & {"-m", "--multirun"}:
        refuse_many(overrides)
        overrides = in_each_job(overrides)
    flags = [f"{flag}={value}" if flag in VALUED else flag for flag, value in options.items()]
    os.environ["HYDRA_FULL_ERROR"] = "1"
    before, sys.argv = sys.argv, ["ablate", *flags, *overrides]
    start = hydra.main(config_path=str(conf_root() / "conf"), config_name=config_name, **DEFAULTS)
    try:
        (shown if SHOWING & options.keys() else run)(start(task))
    except (TypeError, ValueError, AssertionError) as error:
        if not is_of_hydra(error):
            raise
        raise plain(error) from error
    except Refusal as refusal:
        raise refusal.error from refusal.error.__cause__
    finally:
        sys.argv = before


def value_of(job: JobReturn) -> Any:
    """Return what a job came to, or raise its error, which we tell: Hydra prints what was typed."""
    if job.status is not JobStatus.COMPLETED:
        raise job._return_value
    return job._return_value


def keep(job: JobReturn, value: Any) -> None:
    """Set what a job came to."""
    job._return_value = value


vars(hydra_utils)["JobReturn"].return_value = property(value_of, keep)


def run(app: Callable[[], Any]) -> None:
    """Let Hydra run; its sweeper would write all that was typed beside the results."""

    class Uncopied(OmegaConf):
        """Saves nothing."""

        @staticmethod
        def save(*_: Any, **__: Any) -> None:
            """Leave out multirun.yaml."""

    Plugins.instance()  # which plays the module anew when it is first asked for
    its, sweeper = vars(basic_sweeper), vars(basic_sweeper)["BasicSweeper"]
    before, sweep = its["OmegaConf"], sweeper.sweep
    its["OmegaConf"], sweeper.sweep = Uncopied, privately(sweep)
    try:
        app()
    finally:
        its["OmegaConf"], sweeper.sweep = before, sweep


def shown(app: Callable[[], Any]) -> None:
    """Let Hydra show a config, without the secrets that are in it."""
    whole = StringIO()
    with redirect_stdout(whole):
        app()
    lines = whole.getvalue().splitlines()
    print("\n".join(said(hidden(line)) for line in lines))


def is_of_hydra(error: BaseException) -> bool:
    """Return whether an error comes out of Hydra's own code: of an override that it cannot take."""
    frames = traceback.extract_tb(error.__traceback__)
    return bool(frames) and Path(frames[-1].filename).is_relative_to(Path(hydra.__file__).parent)


def task(config: DictConfig) -> Any:
    """Train one trial, or work on a study until nothing is left of it.

    Returns:
        What the job tells whoever launched it; results are in files.
    """
    watch_parent()  # before the seconds that importing torch takes
    hide_arguments()  # Hydra has read them
    studied, single = "study" in config, HydraConfig.get().mode != RunMode.MULTIRUN
    if studied and not single:
        leave_signals_to_parent()
        from ablate.plan.worker import work

        return work(config)
    try:
        if studied:
            from ablate.plan.preview import preview

            return preview(config)
        from ablate.cli.train import run_single

        return run_single(config)
    except (UserError, OSError) as error:
        if not single:
            raise
        raise Refusal(error) from error
