"""Rounds of kill -9 as they happen: real processes, one of them struck, who is left counted."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path

from benchmarks.durability import studies
from benchmarks.durability.attack import OTHER, SILENCE, VIOLATION, Attack, Found, World

ROUNDS = 12
VICTIMS = ("sweep", "worker", "all")
SIGN = "ABLATE_DURABILITY_ROUND"  # in the environment of every process of a round
GONE_SECONDS, END_SECONDS = 20.0, 180.0


def rounds(world: World) -> Iterator[Attack]:
    """Yield rounds with each victim in turn."""
    for n in range(ROUNDS):
        victim = VICTIMS[n % len(VICTIMS)]
        name = f"round {n}: kill -9 of {victim} of two joblib workers"
        yield Attack(name, partial(strike, victim, n, world), "workers", "rounds of kill -9")


def strike(victim: str, n: int, world: World, place: Path) -> Found:
    """Start a study, kill some of it while it trains, count who stays, go on with it."""
    whole = studies.results(world["workers"] / "study")
    shutil.rmtree(place / "study")
    draw, sign = random.Random(n), f"{os.getpid()}-{n}-{time.time_ns()}"
    process = started(place, sign)
    limit = time.monotonic() + END_SECONDS
    while not list(place.glob("study/claims/[0-9a-f]*.1")) and process.poll() is None:
        if time.monotonic() > limit:
            break
        time.sleep(0.02)
    time.sleep(draw.random() * 1.5)
    others = [pid for pid in alive(sign) if pid != process.pid]
    victims = {"sweep": [process.pid], "worker": draw.sample(others, min(1, len(others))),
               "all": [process.pid, *others]}[victim]  # fmt: skip
    for pid in victims:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    if victim == "worker":
        with suppress(subprocess.TimeoutExpired):
            process.wait(END_SECONDS)
    else:
        process.wait()
    found = left_alive(sign)
    again = started(place, sign)
    try:
        again.wait(END_SECONDS)
    except subprocess.TimeoutExpired:
        again.kill()
        return [*found, (SILENCE, "the study does not end")]
    told = (place / "log").read_text(errors="replace").strip().splitlines()
    if again.returncode:
        return [*found, (OTHER, f"does not go on: {told[-1] if told else ''}")]
    if wrong := studies.difference(place / "study", whole):
        found.append(
            (OTHER if wrong.startswith("left ") else VIOLATION, f"ends otherwise: {wrong}")
        )
    return [*found, *left_alive(sign)]


def started(place: Path, sign: str) -> subprocess.Popen[bytes]:
    """Start the study as it is typed."""
    environment = {**os.environ, SIGN: sign, "OMP_NUM_THREADS": "1",
                   "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}  # fmt: skip
    with (place / "log").open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "ablate", *studies.STUDIES["workers"]],
            cwd=place, env=environment, stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip


def alive(sign: str) -> list[int]:
    """Return the processes of a round that run, whatever their session."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            mine = f"{SIGN}={sign}".encode() in (folder / "environ").read_bytes().split(b"\0")
            state = (folder / "stat").read_text().rpartition(")")[2].split()[0]
        except (OSError, IndexError):
            continue
        if mine and state not in "ZX":
            found.append(int(folder.name))
    return found


def left_alive(sign: str) -> Found:
    """Return who is still there after a while, and end them."""
    limit = time.monotonic() + GONE_SECONDS
    while (left := alive(sign)) and time.monotonic() < limit:
        time.sleep(0.2)
    for pid in left:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    told = f"{len(left)} processes are there after {GONE_SECONDS:.0f} s"
    return [(OTHER, told)] if left else []
