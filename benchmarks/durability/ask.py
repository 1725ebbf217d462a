"""Commands typed into a warm process: everything is imported once, each command is a fork of it."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import signal
import sys
import time
import traceback
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sklearn.datasets  # noqa: F401  # of these, nobody imports before they are needed
import torch
import torch.fx.experimental.symbolic_shapes
from hydra.core.plugins import Plugins

import ablate.cli.hydra_app
import ablate.cli.train
import ablate.importer.table
import ablate.plan.launch
import ablate.plan.preview
import ablate.plan.retry
import ablate.plan.search_worker
import ablate.plan.status
import ablate.report.folder
import ablate.report.printers.terminal
import ablate.runner.stack
import ablate.store.marks
from ablate import store
from ablate.cli.main import main
from ablate.errors import UserError
from benchmarks.durability.disk import Fault, install

SERVER = multiprocessing.get_context("forkserver")
SERVER.set_forkserver_preload([__name__])
PATIENCE = 10.0  # of somebody who waits for an answer; what trains has more
TRAINING = 90.0
TRACE = "Traceback (most recent call last)"
READ = "read"  # not a command: `ablate.store.read`, every number of a table


@dataclass(frozen=True)
class Answer:
    """What a command came to.

    Attributes:
        code: Its exit code, below zero the signal that ended it, None where it did not end.
        out: What it printed.
        err: What it told on the error stream.
        trained: The ids of the trials whose training it began, as often as it did.
        seconds: How long it took.
    """

    code: int | None
    out: str
    err: str
    trained: tuple[str, ...]
    seconds: float

    @property
    def text(self) -> str:
        """Everything that somebody reads."""
        return self.out + self.err

    @property
    def crashed(self) -> bool:
        """Whether it ended in a traceback."""
        return TRACE in self.text or (self.code or 0) < 0

    @property
    def last(self) -> str:
        """The last line that it told."""
        return (self.err.strip() or self.out.strip() or "nothing").splitlines()[-1]


def ask(
    folder: Path, *words: str, fault: Fault | None = None, patience: float | None = None
) -> Answer:
    """Type a command in a folder and wait for its answer.

    Args:
        folder: Where it is typed.
        words: The command.
        fault: What happens to its disk below `folder / STUDY`.
        patience: s to wait; what is still running then is killed.
    """
    trains = words[0] in ("sweep", "train")
    limit = patience or stretched(TRAINING if trains else PATIENCE)
    start = time.monotonic()
    process = SERVER.Process(target=answer, args=(str(folder), words, fault))
    process.start()
    process.join(limit)
    seconds = time.monotonic() - start
    if process.exitcode is None:
        assert process.pid is not None, "it was started"
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.join()
        code = None
    else:
        code = process.exitcode
    told = [(folder / name).read_text(errors="replace") if (folder / name).exists() else ""
            for name in (".out", ".err", ".trained")]  # fmt: skip
    return Answer(code, told[0], told[1], tuple(told[2].split()), seconds)


def stretched(seconds: float) -> float:
    """Return so many seconds of a free machine, in seconds of this one at this moment."""
    return seconds * max(1.0, os.getloadavg()[0] / len(os.sched_getaffinity(0)))


def answer(folder: str, words: tuple[str, ...], fault: Fault | None) -> None:
    """Run a command in this process, which was forked for it, and end."""
    with suppress(PermissionError):
        os.setsid()
    os.chdir(folder)
    for number, name in ((1, ".out"), (2, ".err")):
        file = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(file, number)
    torch.set_num_threads(1)
    tell_trainings(os.open(".trained", os.O_WRONLY | os.O_CREAT | os.O_TRUNC))
    if fault is not None:
        Plugins.instance()
        install(Path(folder) / "study", fault)
    try:
        code = shown(words[1:]) if words[0] == READ else main(words)
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except BaseException:
        traceback.print_exc()
        code = 1
    with suppress(OSError):
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(code or 0)


def shown(folders: Any) -> int:
    """Print every number of a table but for times, and what is set aside."""
    try:
        frame = store.read(*folders)
    except UserError as error:
        print(error, file=sys.stderr)
        return 2
    print(frame.to_csv(index=False))
    print(frame.attrs["damaged"], file=sys.stderr)
    return 0


def tell_trainings(file: int) -> None:
    """Write down which trials a process begins to train."""
    fit = ablate.runner.stack.fit

    def told(trials: Any, *rest: Any) -> Any:
        os.write(file, "".join(f"{trial.id}\n" for trial in trials).encode())
        return fit(trials, *rest)

    ablate.runner.stack.fit = told


def fresh(source: Path, place: Path) -> Path:
    """Return a copy of a folder with all that lies in it."""
    shutil.rmtree(place, ignore_errors=True)
    shutil.copytree(source, place, symlinks=True)
    return place
