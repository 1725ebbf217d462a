"""`ablate train`: one trial, from its config to its folder."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig

from ablate.assemble import check
from ablate.compose import Machine, check_writable, join_sources, machine, resolved, trial_of
from ablate.errors import UserError
from ablate.interrupt import Interrupt, asked_here
from ablate.listeners import Several
from ablate.plan.claim import take
from ablate.plan.files import is_finished
from ablate.progress import number, shower
from ablate.provenance import provenance
from ablate.run import Bench, dataset_of, prepare, run
from ablate.tracker import check_tracker, trackers
from ablate.train.loop import Listener
from ablate.trial import Trial


def run_single(config: DictConfig) -> str | None:
    """Train the trial of a config unless it is finished, and say what came out.

    Returns:
        Its status.

    Raises:
        UserError: It cannot be trained; nothing was written.
        SystemExit: It was interrupted (128 + signal), or crashed and is the only one (1).
    """
    join_sources(HydraConfig.get().runtime.config_sources)
    place = machine(config)
    trial = checked(config, place)
    if is_finished(place.out, trial):
        return report(trial, place, "was finished before: ")
    check_writable(place.out)
    claim = take(place.out, trial.id)
    if claim is None:
        raise UserError(
            f"Trial {trial.id} is being trained by another process; wait for it to end, or type "
            "another out= to train it there as well."
        )
    with Interrupt() as interrupt:
        try:
            (status,) = run([trial], bench(config, place))
        finally:
            claim.release()
    if status is None:
        print(f"Saved at the last interval. The same command goes on from there: {command()}")
        raise SystemExit(interrupt.code)
    return report(trial, place, "")


def checked(config: DictConfig, place: Machine) -> Trial:
    """Return the trial, with everything that is wrong with it told before training.

    Raises:
        UserError: All problems at once.
    """
    dataset = dataset_of(config, place)
    trial = trial_of(config, dataset)
    trial = replace(trial, arm="+".join(sorted(trial.tricks)) or "reference")
    problems = check(trial, dataset)
    refused = dict.fromkeys(p.sentence for p in problems if p.refuse)
    if refused:
        raise UserError("\n".join(refused))
    for sentence in dict.fromkeys(p.sentence for p in problems):
        print(f"Note: {sentence}")
    if trial.images != trial.budget["images"]:
        print(rounding(trial))
    check_tracker(resolved(config)["tracker"])
    prepare(trial, place)
    return trial


def rounding(trial: Trial) -> str:
    """Return the sentence for a budget that is not a whole number of batches."""
    return (
        f"Note: budget.images={trial.budget['images']} is no multiple of "
        f"train.batch_size={trial.train['batch_size']}; D is shown {trial.images:,} images."
    )


def bench(config: DictConfig, place: Machine) -> Bench:
    """Return where the trial is trained, with progress shown and the tracker of the config."""
    tree = resolved(config)

    def listener(trials: Sequence[Trial]) -> Listener:
        label = f"{trials[0].arm} seed {trials[0].seed}"
        return Several([shower(label), *trackers(tree["tracker"], trials)], asked_here)

    return Bench(place, provenance(place.device, tree), listener)


def report(trial: Trial, place: Machine, before: str) -> str:
    """Print what a finished trial has come to; return its status.

    Raises:
        SystemExit: It crashed, and it is the only trial of this command.
    """
    folder = place.out / "trials" / trial.id
    status: dict[str, Any] = json.loads((folder / "status.json").read_text())
    why = f" ({status['reason']})" if status["reason"] else ""
    print(
        f"{trial.arm} seed {trial.seed} {before}{status['status']}{why} after "
        f"{status['images']:,} images in {status['wall_seconds']:.1f} s"
    )
    print(last_metrics(folder) + f"results in {folder}")
    if status["status"] == "crashed" and not is_multirun():
        print(f"Delete {folder} to train it again; the trace lies there.", file=sys.stderr)
        raise SystemExit(1)
    return str(status["status"])


def last_metrics(folder: Path) -> str:
    """Return the last value of every metric, a generator a line."""
    frame = pd.read_parquet(folder / "metrics.parquet")
    last = frame[frame["images"] == frame["images"].max()]
    return "".join(
        f"  {generator}: "
        + "  ".join(f"{m} {number(v)}" for m, v in zip(rows["metric"], rows["value"], strict=True))
        + "\n"
        for generator, rows in last.groupby("generator", sort=False)
    )


def is_multirun() -> bool:
    """Return whether this is one of several jobs of a command."""
    return bool(HydraConfig.get().mode == RunMode.MULTIRUN)


def command() -> str:
    """Return the command as it was typed."""
    return f"ablate train {shlex.join(sys.argv[1:])}"
