"""What a study of 5,000 trials takes: its results are made up, by the store's own writers."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np

import ablate.plan.launch
from ablate.cli.main import main
from ablate.store import write_trial
from ablate.store.plan import read_plan
from ablate.trial import Trial
from benchmarks.durability.ask import SERVER
from benchmarks.durability.studies import TINY

ARMS, SEEDS = 50, 100
NAMES = ("ema_g", "label_smooth", "instance_noise", "noisy_labels", "grad_clip", "r1")
STUDY = (
    "sweep", "one_at_a_time", *(w for w in TINY if not w.startswith("trick=")),
    f"trick=[adam,{','.join(NAMES)}]", "study.design=random_subsets", f"study.subsets={ARMS - 1}",
)  # fmt: skip
GOALS = {"retry": 5.0, "compare": 8.0}


def times(folder: Path, trials: int) -> Iterator[str]:
    """Yield a line of Markdown a command."""
    seeds = max(2, trials // ARMS)
    sweep = (*STUDY, f"study.seeds=[{','.join(map(str, range(seeds)))}]")
    process = SERVER.Process(target=fill, args=(str(folder), sweep))
    start = time.monotonic()
    process.start()
    process.join()
    assert process.exitcode == 0
    n = len(os.listdir(folder / "study" / "trials"))
    yield f"{n:,} trials, written in {time.monotonic() - start:.0f} s; wall clock as typed\n"
    yield "| command | seconds | of them computed | goal |"
    yield "| :-- | --: | --: | --: |"
    for name, words in {
        "status": ("status", "study"),
        "compare": ("compare", "study"),
        "report": ("report", "study", "-o", "page"),
        "resume": sweep,
        "retry": ("retry", "study", "--status", "done", "--yes"),
    }.items():
        start, before = time.monotonic(), computed()
        done = subprocess.run(
            [sys.executable, "-m", "ablate", *words],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        goal = f"{GOALS[name]:.0f}" if name in GOALS else ""
        seconds = f"{time.monotonic() - start:.1f} | {computed() - before:.1f}"
        yield f"| {name} | {seconds} | {goal} |"
    shutil.rmtree(folder / "study")


def computed() -> float:
    """Return the s that processes which have ended spent on a core; more says a busy machine."""
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    return spent.ru_utime + spent.ru_stime


def fill(folder: str, sweep: tuple[str, ...]) -> None:
    """Plan a study and write made-up results of all its trials, in this process, which ends."""
    os.chdir(folder)
    log = os.open(".log", os.O_WRONLY | os.O_CREAT)
    os.dup2(log, 1)
    ablate.plan.launch.launch_all = lambda *_: None  # nothing is trained
    with suppress(SystemExit):  # trials are left, it says
        main(sweep)
    for trial in read_plan(Path("study")):
        write_made_up(Path("study"), trial)


def write_made_up(study: Path, trial: Trial) -> None:
    """Write results that have a seed's luck, a trick's effect, and noise."""
    draw = np.random.default_rng([trial.seed, int(trial.id[:8], 16)])
    value = np.exp(0.3 * (trial.seed % 7) / 7 + 0.1 * len(trial.tricks) + 0.1 * draw.normal())
    status = {"status": "done", "reason": "", "note": "", "images": 320, "wall_seconds": 1.0,
              "device_seconds": 0.9, "peak_memory_bytes": 1e6}  # fmt: skip
    metrics = [
        {"images": images, "generator": "raw", "metric": metric, "value": float(value * scale),
         "resample_sd": 0.01, "protocol": "made up"}
        for images, scale in ((160, 1.5), (320, 1.0))
        for metric in ("fd_raw", "kd_raw")
    ]  # fmt: skip
    curves = [
        {"images": images, "signal": signal, "value": float(draw.normal())}
        for images in (80, 160, 240, 320)
        for signal in ("loss_d", "loss_g")
    ]
    samples = {"raw": draw.normal(size=(64, 2)).astype(np.float32)}
    write_trial(study, trial.content(), status, metrics, curves, samples, {"made_up": True})
