"""What a sweep costs beside training: milliseconds a trial, and seconds to take up 5,000 trials.

    python -m benchmarks.sweep [--trials 200] [--rounds 3]

The trials train as good as nothing: one batch of eight points, one evaluation of sixteen samples.
What a worker spends outside of `fit`, which trains, is the price of the sweep: claims, results on
the disk, provenance, looking for work, being watched. It is printed for one process and for two
that joblib starts and that share a study. Starting (imports, composing) does not count. Beside it:
a job of `ablate train -m hydra/launcher=stack` that is taken up and not trained, Hydra's own
multirun of a job that does nothing, and Optuna's `study.optimize` of an objective that does
nothing, in memory and in a file; all as the slope between few and many. Rounds are interleaved, so
that a slow spell of the machine hits all rows.
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
from joblib import Parallel, delayed

from ablate.cli import train as single
from ablate.cli.main import main as ablate
from ablate.plan import launch, worker
from ablate.runner import stack as run
from ablate.store.plan import read_plan

FEW = 10
NOTHING = (
    "data=ring8", "model=mlp", "metric=raw", "model.width=4", "train.batch_size=8",
    "train.latent_dim=2", "budget.images=8", "budget.evaluations=1", "budget.samples=16",
    "budget.curve_points=1", "trick=[ema_g]", "study.always=[]",
)  # fmt: skip
MANY = 5000


def study(folder, trials, out):
    """Run a study of so many trials in this process; return its seconds."""
    seeds = ",".join(map(str, range(trials // 2)))
    command = ["sweep", "one_at_a_time", *NOTHING, f"study.seeds=[{seeds}]", f"out={out}",
               f"cache={folder / 'cache'}", "hydra/launcher=basic"]  # fmt: skip
    start = time.perf_counter()
    with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):
        assert ablate(command) == 0, command
    return time.perf_counter() - start


def fresh(folder):
    return Path(tempfile.mkdtemp(dir=folder)) / "results"


def worked(folder, trials, out):
    """Run a study; return trained trials, seconds of the worker, and of those in training."""
    torch.set_num_threads(1)
    spent = {"work_off": 0.0, "fit": 0.0, "write": 0.0}
    count = 0

    def timed(module, name):
        whole = getattr(module, name)

        def inside(*arguments):
            start = time.perf_counter()
            try:
                return whole(*arguments)
            finally:
                spent[name] += time.perf_counter() - start

        def rounds(trials, *rest):
            nonlocal count
            count += len(trials)
            start = time.perf_counter()
            try:
                return (yield from whole(trials, *rest))
            finally:
                spent[name] += time.perf_counter() - start

        setattr(module, name, rounds if name == "fit" else inside)
        return lambda: setattr(module, name, whole)

    undo = [timed(worker, "work_off"), timed(run, "fit"), timed(run, "write")]
    study(folder, trials, out)
    for restore in undo:
        restore()
    # Results are written as trials end, within `fit`: that is no training.
    return count, spent["work_off"], spent["fit"] - spent["write"]


def price(measured):
    """Return milliseconds a trial outside of training, and in it."""
    trials, whole, training = map(sum, zip(*measured, strict=True))
    return 1000 * (whole - training) / trials, 1000 * training / trials


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


def stacked(trials):
    """Let the stack launcher take up jobs and train none of them; return the seconds."""
    whole, single.train = single.train, lambda jobs, _: ["done"] * len(jobs)
    words = [word for word in NOTHING if not word.startswith("study.")]
    start = time.perf_counter()
    with contextlib.redirect_stdout(io.StringIO()), tempfile.TemporaryDirectory() as folder:
        command = ["train", "-m", "hydra/launcher=stack", *words, f"seed=range({trials})",
                   f"out={folder}", f"cache={folder}"]  # fmt: skip
        assert ablate(command) == 0, command
    single.train = whole
    return time.perf_counter() - start


def optimize(trials, storage=None):
    """Let plain Optuna try an objective that does nothing; return the seconds."""
    it = optuna.create_study(storage=storage, sampler=optuna.samplers.RandomSampler(0))
    start = time.perf_counter()
    it.optimize(lambda trial: trial.suggest_float("x", 0, 1), n_trials=trials)
    return time.perf_counter() - start


def slope(seconds, trials):
    """Return milliseconds a job of what takes `seconds(n)` for n of them."""
    few = seconds(FEW)
    return 1000 * (seconds(FEW + trials) - few) / trials


def a_round(folder, trials):
    """Return row -> milliseconds a trial, each measured once."""
    alone, training = price([worked(folder, trials, fresh(folder))])
    out = fresh(folder)
    both = Parallel(n_jobs=2)(delayed(worked)(folder, trials, out) for _ in range(2))

    def in_file(n):
        return optimize(n, f"sqlite:///{tempfile.mkdtemp(dir=folder)}/o.db")

    return {
        "(the training itself)": training,
        "sweep, one process": alone,
        "sweep, two processes": price(both)[0],
        "hydra/launcher=stack": slope(stacked, trials),
        "Hydra multirun": slope(multirun, min(trials, 50)),
        "Optuna, SQLite file": slope(in_file, min(trials, 100)),
        "Optuna, in memory": slope(optimize, trials),
    }


def take_up(folder):
    """Return the seconds to plan MANY trials, and to find out that all of them are finished."""
    few, many = fresh(folder), fresh(folder)
    study(folder, 2, few)
    status = next((few / "trials").glob("[!.]*/status.json")).read_bytes()
    whole, launch.launch_all = launch.launch_all, lambda *_: None  # plan, and train nothing
    try:
        planning = study(folder, MANY, many)
    finally:
        launch.launch_all = whole
    for trial in read_plan(many):
        path = many / "trials" / trial.id
        path.mkdir(parents=True)
        (path / "status.json").write_bytes(status)
    return planning, study(folder, MANY, many)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    torch.set_num_threads(1)
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        study(folder, FEW, fresh(folder))  # fills the cache
        rounds = [a_round(folder, args.trials) for _ in range(args.rounds)]
        planning, resuming = take_up(folder)
    print(
        f"milliseconds a trial of {args.trials}, median of {args.rounds} rounds [lowest, highest]"
    )
    plain = statistics.median(r["Hydra multirun"] for r in rounds)
    for row in rounds[0]:
        values = sorted(r[row] for r in rounds)
        middle = statistics.median(values)
        print(f"  {row:<26} {middle:8.2f}  [{values[0]:.2f}, {values[-1]:.2f}]"
              f"   {middle / plain:6.3f} of Hydra's multirun")  # fmt: skip
    print(f"{MANY} trials: planned in {planning:.1f} s; resumed, all finished, in {resuming:.1f} s")


if __name__ == "__main__":
    main()
