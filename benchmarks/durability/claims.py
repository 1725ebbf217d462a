"""Claims and checkpoints that no worker has written so: empty, of the future, of other versions."""

from __future__ import annotations

import json
import os
import random
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import torch

from benchmarks.durability import studies
from benchmarks.durability.ask import ask
from benchmarks.durability.attack import OTHER, SILENCE, VIOLATION, Attack, Found, World, judged
from benchmarks.durability.disk import Fault
from benchmarks.durability.kill import meets, operations, untrue

HERE = socket.gethostname()
PATIENCE = 30.0  # half of what a worker that is silent is waited for
ENDED = subprocess.Popen([sys.executable, "-c", ""])  # its number is nobody's, once it has ended
HOUR, YEAR = 3600.0, 3.2e7


def said(**about: Any) -> bytes:
    """Return the content of a claim."""
    return json.dumps(about).encode()


def dead() -> int:
    """Return a process id of nobody."""
    ENDED.wait()
    return ENDED.pid


# name -> content, age of the heartbeat in s, whether a worker may live behind it and is waited for
CLAIMS: dict[str, tuple[Callable[[], bytes], float, bool]] = {
    "empty, just now": (lambda: b"", 0, False),
    "empty, an hour ago": (lambda: b"", HOUR, False),
    "half of a line": (lambda: said(host=HERE, pid=1)[:9], 0, False),
    "of a dead process": (lambda: said(host=HERE, pid=dead(), images=64), 0, False),
    "of a dead process, in an hour": (lambda: said(host=HERE, pid=dead(), images=64), -HOUR, False),
    "in an hour": (lambda: said(host=HERE, pid=os.getpid(), images=64), -HOUR, False),
    "in a year": (lambda: said(host=HERE, pid=os.getpid(), images=64), -YEAR, False),
    "of another host, just now": (lambda: said(host="other", pid=7, images=64), 0, True),
    "of another host, in 30 s": (lambda: said(host="other", pid=7, images=64), -30, True),
    "of another host, an hour ago": (lambda: said(host="other", pid=7, images=64), HOUR, False),
    "of another host, in an hour": (lambda: said(host="other", pid=7, images=64), -HOUR, False),
    "of an older version": (lambda: said(host=HERE, pid=dead()), HOUR, False),
    "without a process": (lambda: said(host=HERE), 0, False),
    "without a host": (lambda: said(pid=7), 0, False),
    "with a process that is a word": (lambda: said(host=HERE, pid="x", images="many"), 0, False),
    "with a process below zero": (lambda: said(host=HERE, pid=-1), 0, False),
    "with a process without end": (lambda: said(host=HERE, pid=10**30), 0, False),
    "with images below zero": (lambda: said(host="other", pid=7, images=-5), 0, True),
    "a list": (lambda: b"[1]", 0, False),
    "a number": (lambda: b"7", 0, False),
    "random bytes": (lambda: random.Random(0).randbytes(64), 0, False),
}  # fmt: skip


def claims(world: World) -> Iterator[Attack]:
    """Yield every claim on a trial that is left, under the commands that look at claims."""
    for command in ("sweep", "status", "retry"):
        for name in (*CLAIMS, "a folder", "without an attempt", "of an attempt that is a word",
                     "three dead attempts"):  # fmt: skip
            yield Attack(
                f"claim {name}, then {command}", partial(claimed, name, command, world), "short",
                "claims",
            )  # fmt: skip


def claimed(name: str, command: str, world: World, place: Path) -> Found:
    """Put a claim on one of two trials, whose results are taken away, and type a command."""
    study = place / "study"
    trial = studies.trials(study)[0]
    whole = studies.results(study)
    if command != "retry":
        shutil.rmtree(study / "trials" / trial)
    waits = lay_claim(study / "claims", trial, name)
    words = {
        "sweep": studies.STUDIES["short"],
        "status": ("status", "study"),
        "retry": ("retry", "study", "--status", "done", "--yes"),
    }[command]
    answer = ask(place, *words, patience=PATIENCE if command == "sweep" else None)
    if waits and command == "sweep" and answer.code is None:
        told = "Waiting for" in answer.text
        return [] if told else [(SILENCE, "waits and does not say for what")]
    if found := judged(answer):
        return found
    return after(answer.code, answer.last, study, whole) if command == "sweep" else []


def lay_claim(folder: Path, trial: str, name: str) -> bool:
    """Write a claim; return whether a worker may live behind it."""
    folder.mkdir(exist_ok=True)
    if name == "a folder":
        (folder / f"{trial}.1").mkdir()
    elif name == "without an attempt":
        (folder / trial).write_bytes(said(host=HERE, pid=dead()))
    elif name == "of an attempt that is a word":
        (folder / f"{trial}.x").write_bytes(said(host=HERE, pid=dead()))
    elif name == "three dead attempts":
        for attempt in (1, 2, 3):
            write_claim(folder / f"{trial}.{attempt}", said(host=HERE, pid=dead()), HOUR)
    else:
        content, age, waits = CLAIMS[name]
        write_claim(folder / f"{trial}.1", content(), age)
        return waits
    return False


def write_claim(path: Path, content: bytes, age: float) -> None:
    """Write a claim whose heart has beaten so long ago."""
    path.write_bytes(content)
    os.utime(path, (time.time() - age,) * 2)


def after(code: int | None, last: str, study: Path, whole: dict[str, str]) -> Found:
    """Return what is wrong once a study was gone on with."""
    if code:
        return []  # it was told, and nothing was written
    wrong = studies.difference(study, whole)
    return [(OTHER if wrong.startswith("left ") else VIOLATION, wrong)] if wrong else []


# -- checkpoints -------------------------------------------------------------------------------


def checkpoints(world: World) -> Iterator[Attack]:
    """Yield every way in which the checkpoint of a study that was killed may be another."""
    keys = sorted(torch.load(saved(world), weights_only=True, map_location="cpu"))
    changes: dict[str, Callable[[Path], None]] = {
        "empty": lambda path: written(path, b""),
        "of half its bytes": lambda path: written(path, path.read_bytes()[:999]),
        "of random bytes": lambda path: written(path, random.Random(0).randbytes(4096)),
        "with one bit flipped": flip_middle,
        "a folder": a_folder,
        "a list": lambda path: torch.save([1, 2], path),
        "an empty state": lambda path: torch.save({}, path),
        "of its identity alone": partial(changed, lambda c: {"identity": c["identity"]}),
        "of another trial": partial(changed, lambda c: {**c, "identity": "0123456789abcdef"}),
        "with an identity that is a number": partial(changed, lambda c: {**c, "identity": 7}),
        "with slots that are not there": partial(changed, lambda c: {**c, "slots": [0, 1, 99]}),
        "with tensors of other shapes": partial(changed, reshaped),
        "with tensors of NaN": partial(changed, poisoned),
    }
    for key in keys:
        changes[f"without {key}"] = partial(changed, partial(without, key))
        changes[f"with an empty {key}"] = partial(changed, partial(emptied, key))
    for name, change in changes.items():
        yield Attack(
            f"checkpoint {name}, then sweep", partial(gone_on, change, world), "short",
            "checkpoints",
        )  # fmt: skip


def saved(world: World) -> Path:
    """Return the checkpoint of a study that was killed just after it had written it."""
    place = world.folder / "killed"
    if not place.exists():
        shutil.copytree(world["short"], place)
        shutil.rmtree(place / "study")
        done = [o for o in operations("short", world) if meets("after", o.split()[0])]
        at = next(i for i, o in enumerate(done) if o.startswith("replace checkpoints/."))
        ask(place, *studies.STUDIES["short"], fault=Fault("after", at))
    return next((place / "study" / "checkpoints").glob("[!.]*.pt"))


def gone_on(change: Callable[[Path], None], world: World, place: Path) -> Found:
    """Change the checkpoint and go on; where it is refused, delete it and go on once more."""
    whole = studies.results(place / "study")
    name = saved(world).name
    shutil.rmtree(place / "study")
    shutil.copytree(world.folder / "killed" / "study", place / "study", symlinks=True)
    path = place / "study" / "checkpoints" / name
    change(path)
    answer = ask(place, *studies.STUDIES["short"], patience=PATIENCE)
    found = [*judged(answer), *untrue(place / "study", whole, answer)]
    if answer.code and not found:
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
        again = ask(place, *studies.STUDIES["short"])
        found = judged(again) or after(again.code, again.last, place / "study", whole)
        if again.code:
            found.append((OTHER, f"does not go on without it: {again.last}"))
    return found


def written(path: Path, content: bytes) -> None:
    """Write a file anew."""
    path.write_bytes(content)


def a_folder(path: Path) -> None:
    """Put a folder in the place of a file."""
    path.unlink()
    path.mkdir()


def changed(change: Callable[[Any], Any], path: Path) -> None:
    """Write a checkpoint anew with another content."""
    torch.save(change(torch.load(path, weights_only=True, map_location="cpu")), path)


def flip_middle(path: Path) -> None:
    """Flip a bit of the largest tensor: in the middle of the file."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 64
    path.write_bytes(content)


def without(key: str, content: Any) -> Any:
    """Return a checkpoint as an older version would have left it."""
    return {name: value for name, value in content.items() if name != key}


def emptied(key: str, content: Any) -> Any:
    """Return a checkpoint with nothing behind a key."""
    value = content[key]
    nothing = type(value)() if isinstance(value, dict | list | str) else None
    return {**content, key: nothing}


def reshaped(node: Any) -> Any:
    """Return every tensor with one entry more."""
    return mapped(node, lambda t: torch.cat([t.flatten(), t.flatten()[:1]]))


def poisoned(node: Any) -> Any:
    """Return every tensor of floats as NaN."""
    return mapped(node, lambda t: t * float("nan") if t.is_floating_point() else t)


def mapped(node: Any, change: Callable[[torch.Tensor], torch.Tensor]) -> Any:
    """Return a tree of values with its tensors changed."""
    if isinstance(node, torch.Tensor):
        return change(node)
    if isinstance(node, dict):
        return {key: mapped(value, change) for key, value in node.items()}
    if isinstance(node, list):
        return [mapped(value, change) for value in node]
    return node
