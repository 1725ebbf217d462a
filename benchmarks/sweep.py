"""What a sweep costs beside training: milliseconds a trial, and seconds to take up 5,000 trials.

    python -m benchmarks.sweep [--trials 200] [--rounds 3]

The trials train as good as nothing: one batch of eight points, one evaluation of sixteen samples.
The same training is called directly, without plan, claims, results and processes, and its time is
taken off. A time a trial is a slope: a sweep of few trials is taken off a sweep of many, so that
what starts once (imports, composing, processes) does not count. Rounds are interleaved, so that a
slow spell of the machine hits all rows. Beside it: Hydra's own multirun of a job that does nothing,
and Optuna's `study.optimize` of an objective that does nothing, in memory and in a file.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import statistics
import sys
import tempfile
import time
from pathlib import Path

import hydra
import optuna
import torch
from hydra.core.global_hydra import GlobalHydra

from ablate import run
from ablate.cli import main as ablate
from ablate.compose import Machine
from ablate.plan import launch
from ablate.plan.files import read_plan
from ablate.train.loop import Listener

FEW = 10
NOTHING = (
    "data=ring8", "model=mlp", "metric=raw", "model.width=4", "train.batch_size=8",
    "train.latent_dim=2", "budget.images=8", "budget.evaluations=1", "budget.samples=16",
    "budget.curve_points=1", "trick=[ema_g]", "study.always=[]",
)  # fmt: skip
MANY = 5000


def study(folder, trials, *words):
    """Run a study of so many trials; return its results folder and its seconds."""
    out = Path(tempfile.mkdtemp(dir=folder)) / "results"
    seeds = ",".join(map(str, range(trials // 2)))
    command = ["sweep", "one_at_a_time", *NOTHING, f"study.seeds=[{seeds}]", f"out={out}",
               f"cache={folder / 'cache'}", *words]  # fmt: skip
    start = time.perf_counter()
    with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):
        assert ablate(command) == 0, command
    return out, time.perf_counter() - start


def direct(folder, trials):
    """Train the trials of a study without a sweep around it; return the seconds."""
    machine = Machine("cpu", folder / "nowhere", folder / "cache")
    run.prepare(trials[0], machine)
    start = time.perf_counter()
    for trial in trials:
        run.fit([trial], machine, Listener())
    return time.perf_counter() - start


def multirun(trials):
    """Let plain Hydra start jobs that do nothing; return the seconds."""

    @hydra.main(version_base=None, config_path=None)
    def nothing(_):
        return 0.0

    before = sys.argv
    with tempfile.TemporaryDirectory() as folder:
        sys.argv = ["nothing", "-m", f"+i=range({trials})", f"hydra.sweep.dir={folder}",
                    "hydra.output_subdir=null", "hydra/job_logging=none",
                    "hydra/hydra_logging=none"]  # fmt: skip
        start = time.perf_counter()
        nothing()
        seconds = time.perf_counter() - start
    sys.argv = before
    GlobalHydra.instance().clear()
    return seconds


def optimize(trials, storage=None):
    """Let plain Optuna try an objective that does nothing; return the seconds."""
    it = optuna.create_study(storage=storage, sampler=optuna.samplers.RandomSampler(0))
    start = time.perf_counter()
    it.optimize(lambda trial: trial.suggest_float("x", 0, 1), n_trials=trials)
    return time.perf_counter() - start


def slope(seconds, trials):
    """Return milliseconds a trial of what takes `seconds(n)` for n trials."""
    few = seconds(FEW)
    return 1000 * (seconds(FEW + trials) - few) / trials


def a_round(folder, trials):
    """Return row -> milliseconds a trial, each measured once."""
    planned = read_plan(study(folder, FEW + trials, "hydra/launcher=basic")[0])
    bare = slope(lambda n: direct(folder, planned[:n]), trials)

    def swept(*words):
        return slope(lambda n: study(folder, n, *words)[1], trials)

    def in_file(n):
        return optimize(n, f"sqlite:///{tempfile.mkdtemp(dir=folder)}/o.db")

    two = ("hydra/launcher=joblib", "study.workers=2")
    study(folder, FEW, *two)  # starts processes that the next two sweeps use again
    return {
        "training alone": bare,
        "sweep, one process": swept("hydra/launcher=basic") - bare,
        "sweep, joblib, 2 workers": 2 * swept(*two) - bare,
        "Hydra multirun": slope(multirun, min(trials, 50)),
        "Optuna, SQLite file": slope(in_file, min(trials, 100)),
        "Optuna, in memory": slope(optimize, trials),
    }


def take_up(folder):
    """Return the seconds to plan MANY trials, and to find out that all of them are finished."""
    out, _ = study(folder, FEW, "hydra/launcher=basic")
    status = next((out / "trials").glob("[!.]*/status.json")).read_bytes()
    many = f"out={folder / 'many'}"
    whole, launch.launch_all = launch.launch_all, lambda *_: None  # plan, and train nothing
    try:
        _, planning = study(folder, MANY, "hydra/launcher=basic", many)
    finally:
        launch.launch_all = whole
    for trial in read_plan(folder / "many"):
        path = folder / "many" / "trials" / trial.id
        path.mkdir(parents=True)
        (path / "status.json").write_bytes(status)
    _, resuming = study(folder, MANY, "hydra/launcher=basic", many)
    return planning, resuming


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    torch.set_num_threads(1)
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        study(folder, FEW, "hydra/launcher=basic")  # fills the cache
        rounds = [a_round(folder, args.trials) for _ in range(args.rounds)]
        planning, resuming = take_up(folder)
    print(f"milliseconds a trial, median of {args.rounds} rounds [lowest, highest], "
          f"slope over {args.trials} trials")  # fmt: skip
    plain = statistics.median(r["Hydra multirun"] for r in rounds)
    for row in rounds[0]:
        values = sorted(r[row] for r in rounds)
        middle = statistics.median(values)
        print(f"  {row:<26} {middle:8.2f}  [{values[0]:.2f}, {values[-1]:.2f}]"
              f"   {middle / plain:6.3f} of Hydra's multirun")  # fmt: skip
    print(f"{MANY} trials: planned in {planning:.1f} s; resumed, all finished, in {resuming:.1f} s")


if __name__ == "__main__":
    main()
