"""Every operation of a small study on its disk: killed before, midway, after; or it fails.

Then the same command again, undisturbed: what comes out is what came out undisturbed, bit for bit,
no file is left over, and no trial was trained more often than one fault explains.
"""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from benchmarks.durability import studies
from benchmarks.durability.ask import Answer, ask, fresh
from benchmarks.durability.attack import OTHER, VIOLATION, Attack, Found, World, judged
from benchmarks.durability.disk import DOORS, KILLS, Fault, meets

BOTH = ("short", "short tuned")
TWICE = 2  # a trial is begun once, and once more after a kill


def operations(kind: str, world: World) -> list[str]:
    """Return what an undisturbed study does on its disk, in order."""
    place = fresh(world[kind], world.folder / f"operations of {kind}")
    shutil.rmtree(place / "study")
    log = place / "operations"
    done = ask(place, *studies.STUDIES[kind], fault=Fault(log=log))
    assert done.code == 0, done.text
    found = log.read_text().splitlines()
    shutil.rmtree(place)
    return found


def kills(world: World, kinds: Sequence[str] = BOTH) -> Iterator[Attack]:
    """Yield every kill, of some kinds of study."""
    yield from at_every_operation(world, kinds, KILLS, "killed")


def errors(world: World, kinds: Sequence[str] = BOTH) -> Iterator[Attack]:
    """Yield every error of the disk, in some kinds of study."""
    yield from at_every_operation(world, kinds, tuple(DOORS), "refused with")


def at_every_operation(
    world: World, kinds: Sequence[str], faults: Sequence[str], verb: str
) -> Iterator[Attack]:
    """Yield every fault at every operation that can meet it."""
    for kind in kinds:
        done = operations(kind, world)
        for fault in faults:
            met = [operation for operation in done if meets(fault, operation.split()[0])]
            for at, operation in enumerate(met):
                yield Attack(
                    f"{kind}: {operation} (no. {at} of its kind) {verb} {fault}",
                    partial(strike, kind, fault, at, world),
                    kind,
                    f"{verb} {fault}, {kind}",
                )


def strike(kind: str, fault: str, at: int, world: World, place: Path) -> Found:
    """Run a study into a fault, then once more without."""
    study, whole = place / "study", studies.results(world[kind] / "study")
    shutil.rmtree(study)
    first = ask(place, *studies.STUDIES[kind], fault=Fault(fault, at))
    found = [] if fault in KILLS else [*judged(first), *untrue(study, whole, first)]
    second = ask(place, *studies.STUDIES[kind])
    found += judged(second)
    if second.code != 0:
        return [*found, (OTHER, f"does not go on: {second.last}")]
    if wrong := studies.difference(study, whole):
        only_left = wrong.startswith("left ")
        found.append((OTHER if only_left else VIOLATION, f"ends otherwise: {wrong}"))
    often = Counter(first.trained + second.trained)
    if often and max(often.values()) > TWICE:
        found.append((OTHER, f"a trial was begun {max(often.values())} times"))
    return found


def untrue(study: Path, whole: dict[str, str], answer: Answer) -> Found:
    """Return what a study says that training did not come to."""
    found: Found = []
    for path in sorted(study.glob("trials/[!.]*/status.json")):
        try:
            status = json.loads(path.read_text())["status"]
        except (OSError, ValueError, KeyError):
            status = "unreadable"
        if status in ("crashed", "killed", "unreadable"):
            found.append((VIOLATION, f"an error of the disk is stored as {status}: {answer.last}"))
            break
    if answer.code == 0 and (wrong := studies.difference(study, whole)):
        kind = OTHER if wrong.startswith("left ") else VIOLATION
        found.append((kind, f"ended well in spite of it, and results differ: {wrong}"))
    return found
