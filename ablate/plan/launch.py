"""A study from its config to its end: plan, write, print, launch workers until nothing is left."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from rich.console import Console

from ablate.compose import Machine, check_writable, join_sources, machine, resolved
from ablate.errors import UserError
from ablate.interrupt import Interrupt, StopFile
from ablate.plan.claim import tidy
from ablate.plan.files import unfinished, write_plan
from ablate.plan.show import show
from ablate.plan.study import Plan, plan_of
from ablate.plan.watch import Watch
from ablate.plan.worker import status_of, workers_of
from ablate.run import dataset_of, prepare
from ablate.tracker import check_tracker

Launch = Callable[[int], Any]  # starts so many workers and returns when all have ended


def sweep(config: DictConfig, launch: Launch) -> None:
    """Run a study, or what is left of it.

    Args:
        config: The composed study, with Hydra's own node.
        launch: Starts workers.

    Raises:
        UserError: The study is wrong; all reasons at once, nothing written.
        SystemExit: It was interrupted (128 + signal), or workers died (1).
    """
    join_sources(config.hydra.runtime.config_sources)
    refuse_one_seed(config.hydra.overrides.task)
    launcher = resolved(config.hydra.launcher)
    config = OmegaConf.masked_copy(config, [str(key) for key in config if key != "hydra"])
    place = machine(config)
    plan = plan_of(config, dataset_of(config, place))
    check_tracker(resolved(config.tracker))
    prepare(plan.trials[0], place)  # once, before many workers want the same cache
    check_writable(place.out)
    change = write_plan(place.out, plan)
    study = resolved(config.study)
    left = unfinished(place.out, plan.trials)
    workers = min(workers_of(study, launcher, place.device), max(1, len(left)))
    announce(plan, place, workers, change)
    if left:
        launch_all(plan, place, workers, launch)
    conclude(plan, place.out)


def refuse_one_seed(overrides: Sequence[str]) -> None:
    """Refuse `seed=`, which a study would not use.

    Raises:
        UserError: The sentence says where a study's seeds stand.
    """
    for override in overrides:
        key, _, value = override.partition("=")
        if key == "seed":
            raise UserError(
                f"A study trains every arm under its seeds; type study.seeds=[{value}]."
            )


def launch_all(plan: Plan, place: Machine, workers: int, launch: Launch) -> None:
    """Launch workers, and again where some died, until nothing is left that can be trained.

    Launchers may end all workers when one dies. From the second death on there is one worker, so
    that a trial that kills its workers is found out, and no other takes the blame.

    Raises:
        SystemExit: Interrupted.
    """
    stop, seen, deaths = StopFile(place.out), None, 0
    stop.clear()
    with Interrupt(stop.ask) as interrupt, Watch(place.out, plan.trials, plan.images):
        while (error := attempt(launch, workers if deaths < 2 else 1, interrupt)) is not None:
            state = situation(place.out, plan)
            if interrupt.code or state == seen:
                break
            seen, deaths = state, deaths + 1
            print(f"A worker died ({error}); its trial goes on at its last checkpoint.")
    stop.clear()
    tidy(place.out)
    if interrupt.code:
        left = unfinished(place.out, plan.trials)
        print(f"{len(left)} of {len(plan.trials)} trials are left; the same command goes on.")
        raise SystemExit(interrupt.code)


def situation(folder: Path, plan: Plan) -> tuple[int, list[str]]:
    """Return what a launch changes even if it fails: trials that are left, and claims."""
    claims = sorted(path.name for path in (folder / "claims").glob("[!.]*"))
    return len(unfinished(folder, plan.trials)), claims


def attempt(launch: Launch, workers: int, interrupt: Interrupt) -> str | None:
    """Launch and wait; return what ended it, None where every worker came back.

    Raises:
        UserError: A worker met something that a person has to mend.
    """
    try:
        returned = launch(workers)
    except (UserError, HydraException, OmegaConfBaseException):
        raise
    except KeyboardInterrupt:  # also of a worker that Ctrl-C met before it could ignore it
        if interrupt.twice:
            raise
        return "KeyboardInterrupt"
    except Exception as error:  # launchers have errors of their own for a worker that was killed
        return f"{type(error).__name__}"
    for job in returned:
        _ = job.return_value  # raises what the worker raised
    return None


def announce(plan: Plan, place: Machine, workers: int, change: str | None) -> None:
    """Print the plan, who works on it, and what is finished."""
    console = Console(highlight=False)
    show(plan, console)
    if change is not None:
        console.print(f"Note: {change}", markup=False)
    done = len(plan.trials) - len(unfinished(place.out, plan.trials))
    console.print(
        f"{workers} worker{'s' if workers > 1 else ''} on {place.device}; {done} finished before."
    )


def conclude(plan: Plan, folder: Path) -> None:
    """Print what the study has come to.

    Raises:
        SystemExit: Trials are left.
    """
    left = unfinished(folder, plan.trials)
    waiting = {trial.id for trial in left}
    done = [trial for trial in plan.trials if trial.id not in waiting]
    counts = Counter(status_of(folder, trial)["status"] for trial in done)
    words = ", ".join(f"{n} {status}" for status, n in counts.most_common())
    print(f"{len(done)} of {len(plan.trials)} trials: {words or 'none'}. Results in {folder}")
    if counts["crashed"]:
        print(f"What crashed left a trace: {folder}/trials/*/traceback.txt")
    if left:
        print(f"{len(left)} are left (or in the hands of other workers); the same command goes on.")
        raise SystemExit(1)
    print(f"Next: ablate report {folder} -o reports/{folder.name}")
