"""Every file of a finished study, damaged in nine ways, under every command.

A table that changes without a word about what is damaged is a result violation, and so is a sweep
that ends well over results that training did not write.
"""

from __future__ import annotations

import io
import json
import random
import shutil
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from benchmarks.durability import studies
from benchmarks.durability.ask import READ, Answer, ask, fresh
from benchmarks.durability.attack import OTHER, VIOLATION, Attack, Found, World, judged

TOLD = ("damaged", "unreadable", "cannot be read", "quarantine", "set aside")
LINK = "tuned/trials"
SHOWS = ("trial.json", "status.json", "metrics.parquet")  # what a table is made of


# -- nine ways ---------------------------------------------------------------------------------


def delete(path: Path, _: random.Random) -> None:
    path.unlink()


def empty(path: Path, _: random.Random) -> None:
    path.write_bytes(b"")


def truncate(path: Path, _: random.Random) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])


def flip(path: Path, draw: random.Random) -> None:
    content = bytearray(path.read_bytes())
    content[draw.randrange(len(content))] ^= 1 << draw.randrange(8)
    path.write_bytes(content)


def noise(path: Path, draw: random.Random) -> None:
    path.write_bytes(draw.randbytes(path.stat().st_size))


def other_content(path: Path, draw: random.Random) -> None:
    """Write a file of the same kind whose content is another."""
    WRITERS[path.suffix](path, draw)


def other_type(path: Path, draw: random.Random) -> None:
    """Write what is valid and no object at all."""
    path.write_text("[1]\n")


def folder(path: Path, _: random.Random) -> None:
    path.unlink()
    path.mkdir()


def of_another(path: Path, _: random.Random) -> None:
    """Take the file of the same name of another trial, else of a study with another plan."""
    twins = sorted(p for p in path.parent.parent.glob(f"*/{path.name}") if p != path)
    twins = twins or sorted(p for p in path.parent.glob(f"*{path.suffix}") if p != path)
    if not twins:
        return other_content(path, random.Random(1))
    shutil.copyfile(twins[0], path)
    return None


def _json(path: Path, draw: random.Random) -> None:
    content = json.loads(path.read_text())
    leaves = list(_leaves(content))
    holder, key = draw.choice(leaves)
    value = holder[key]
    holder[key] = value + 1 if isinstance(value, int | float) else f"{value}x"
    path.write_text(json.dumps(content, indent=1, sort_keys=True) + "\n")


def _leaves(node: Any) -> Iterator[tuple[Any, Any]]:
    for key, value in node.items() if isinstance(node, dict) else enumerate(node):
        if isinstance(value, dict | list):
            yield from _leaves(value)
        elif value is not None:
            yield node, key


def _jsonl(path: Path, draw: random.Random) -> None:
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(lines[:-1]))


def _parquet(path: Path, draw: random.Random) -> None:
    frame = pd.read_parquet(path)
    frame["value"] = frame["value"] * 1.5
    frame.to_parquet(path, index=False)


def _npz(path: Path, draw: random.Random) -> None:
    with np.load(path) as file:
        grids = {name: file[name] * 0 for name in file.files}
    sink = io.BytesIO()
    np.savez_compressed(sink, **grids)
    path.write_bytes(sink.getvalue())


def _npy(path: Path, draw: random.Random) -> None:
    np.save(path, 255 - np.load(path))


def _pt(path: Path, draw: random.Random) -> None:
    torch.save({"other": torch.zeros(3)}, path)


def _db(path: Path, draw: random.Random) -> None:
    path.unlink()
    with sqlite3.connect(path) as base:
        base.execute("create table other (x)")
    base.close()


WRITERS: dict[str, Callable[[Path, random.Random], None]] = {
    ".json": _json, ".jsonl": _jsonl, ".parquet": _parquet, ".npz": _npz, ".npy": _npy,
    ".pt": _pt, ".db": _db,
}  # fmt: skip
WAYS = {
    "deleted": delete, "emptied": empty, "truncated": truncate, "one bit flipped": flip,
    "random bytes": noise, "other content": other_content, "another type": other_type,
    "a folder": folder, "of another trial": of_another,
}  # fmt: skip

# -- every command -----------------------------------------------------------------------------


def commands(kind: str, trial: str) -> dict[str, tuple[str, ...]]:
    """Return name -> command, for every command that a results folder is handed to."""
    sweep = studies.STUDIES[kind]
    found = {
        READ: (READ, "study"),
        "read tuned": (READ, "study/tuned"),
        "status": ("status", "study"),
        "compare": ("compare", "study"),
        "summary": ("report", "study", "--summary"),
        "report": ("report", "study", "-o", "page"),
        "plan": ("plan", *sweep[1:]),
        "retry": ("retry", "study", "--status", "done", "--yes"),
        "retry crashed": ("retry", "study", "--status", "crashed"),
        "mark": ("mark", "study", trial, "--collapsed", "--note", "looked at"),
        "undo": ("mark", "study", trial, "--undo"),
        "import": ("import", "theirs.csv", "--like", "study", "-o", "theirs"),
        "sweep": sweep,
        "add": (*sweep, "--add-trials", "1"),
        "warm": (*sweep, "search.warm_start=study", "out=warm"),
    }
    only = ("read tuned", "add", "warm")
    return found if "tuned" in kind else {k: v for k, v in found.items() if k not in only}


def attacks(world: World, kinds: Sequence[str] = ("plain", "tuned")) -> Iterator[Attack]:
    """Yield every file x way x command, of some kinds of study."""
    for kind in kinds:
        for file in files(world[kind] / "study", kind):
            for way in WAYS if file != LINK else ["deleted"]:
                for command in commands(kind, ""):
                    case = Case(kind, file, way, command, world)
                    name = f"{kind}: {file} {way}, then {command}"
                    yield Attack(name, case, kind, f"damage, {kind}")


def files(study: Path, kind: str) -> list[str]:
    """Return what is damaged: all files, and those of two trials alone, as all trials are alike."""
    chosen = two_trials(study)
    found = []
    for path in sorted(study.rglob("*")):
        name = str(path.relative_to(study))
        parts = name.split("/")
        if (
            path.is_file()
            and (parts[0] != "trials" or parts[1] in chosen)
            and parts[:2] != ["tuned", "trials"]
        ):
            found.append(name)
    return [*found, "marks.json", *[LINK] * (kind == "tuned")]


def two_trials(study: Path) -> list[str]:
    """Return a trial of the table, and where something was searched one of the search."""
    planned = [json.loads(line) for line in (study / "plan.jsonl").read_text().splitlines()]
    from ablate.store.record import trial_of

    own = [trial_of(content).id for content in planned]
    others = sorted(set(studies.trials(study)) - set(own))
    return [own[0], *others[:1]]


def cache_attacks(world: World) -> Iterator[Attack]:
    """Yield every file of a cache x way; the study is then trained afresh."""
    cache = world["pictures"] / "cache"
    for path in sorted(p for p in cache.rglob("*") if p.is_file()):
        file = str(path.relative_to(cache))
        for way in WAYS:
            yield Attack(
                f"pictures: cache/{file} {way}, then sweep",
                partial(of_cache, file, way, world),
                "pictures",
                "damage, cache",
            )


def of_cache(file: str, way: str, world: World, place: Path) -> Found:
    """Damage a cached file and train the study of it afresh."""
    shutil.rmtree(place / "study")
    WAYS[way](place / "cache" / file, random.Random(f"{file} {way}"))
    answer = ask(place, *studies.STUDIES["pictures"])
    if found := judged(answer):
        return found
    if answer.code == 2:
        return []
    wrong = studies.difference(place / "study", studies.results(world["pictures"] / "study"))
    return [(VIOLATION, f"ended well, and results differ: {wrong}")] if wrong else []


@dataclass(frozen=True)
class Case:
    """A file, what becomes of it, and the command that meets it.

    Attributes:
        kind: Of `studies.STUDIES`.
        file: Below the study's folder.
        way: Of `WAYS`.
        command: Of `commands`.
        world: Where the undisturbed study lies.
    """

    kind: str
    file: str
    way: str
    command: str
    world: World

    @property
    def trial(self) -> str:
        """The trial that is damaged, or one of the table."""
        if self.file.startswith("trials/"):
            return self.file.split("/")[1]
        return two_trials(self.world[self.kind] / "study")[0]

    @property
    def name(self) -> str:
        return self.file.rsplit("/", maxsplit=1)[-1]

    def __call__(self, place: Path) -> Found:
        """Damage the file and type the command."""
        words = commands(self.kind, self.trial)[self.command]
        whole = undisturbed(self, words)
        prepare(place, self)
        WAYS[self.way](place / "study" / self.file, random.Random(f"{self.file} {self.way}"))
        answer = ask(place, *words)
        if answer.code == 2:
            return judged(answer)  # refused with a sentence
        return judged(answer) or self.compared(answer, whole, place / "study")

    def compared(self, answer: Answer, whole: Answer, study: Path) -> Found:
        """Return what is wrong with a command that ended well over damage."""
        if self.command == "sweep":
            return self.after_sweep(answer, study)
        if self.command not in READING or (self.name, self.way) == ("marks.json", "deleted"):
            return []  # taking a mark back leaves no file as well
        is_told = self.is_told(answer)
        if answer.out != whole.out:
            told = self.sets_aside(answer, whole) if "read" in self.command else is_told
            return [] if told else [(VIOLATION, "the table changed without a word")]
        shows = self.command == "status" and self.file.startswith("trials/") and self.name in SHOWS
        return [(OTHER, "called as before, not a word of the damage")] if shows > is_told else []

    def is_told(self, answer: Answer) -> bool:
        """Return whether somebody who reads the answer learns what is damaged."""
        text = answer.text.replace("\n", " ")
        return any(word in text for word in (self.trial, self.name, *TOLD))

    def sets_aside(self, answer: Answer, whole: Answer) -> bool:
        """Return whether the damaged trial is named and every other row is as it was."""
        rows = {row for row in whole.out.splitlines() if self.trial not in row}
        return self.trial in answer.err and rows == set(answer.out.splitlines())

    def after_sweep(self, answer: Answer, study: Path) -> Found:
        """Return what is wrong where the study was typed again over damage."""
        wrong = studies.difference(study, studies.results(self.world[self.kind] / "study"))
        # Beside the study may lie what was set aside, and the marks that this attack has made.
        if answer.code or not wrong or all(word.startswith("left ") for word in wrong.split(", ")):
            return []
        told = f"ended well, and results differ: {wrong}"
        return [(OTHER if self.is_told(answer) else VIOLATION, told)]


READING = (READ, "read tuned", "status", "compare", "summary", "report")
BEFORE: dict[str, Answer] = {}
WHOLE_SECONDS = 600.0  # for an undisturbed answer, however busy the machine
BEFORE_LOCK = threading.Lock()


def prepare(place: Path, case: Case) -> None:
    """Lay down what a command needs beside the study."""
    (place / "theirs.csv").write_text("arm,seed,fd_raw\na,0,1\na,1,2\nb,0,1\nb,1,3\n")
    if case.file == "marks.json" or case.command == "undo":
        said = {case.trial: {"mark": "sound", "note": "looked at"}}
        (place / "study" / "marks.json").write_text(json.dumps(said, indent=1) + "\n")


def undisturbed(case: Case, words: tuple[str, ...]) -> Answer:
    """Return what a command answers where nothing is damaged."""
    marked = case.file == "marks.json"
    key = f"{case.kind} {case.command} {case.trial} {marked}"
    if case.command not in READING:
        return Answer(0, "", "", (), 0.0)
    with BEFORE_LOCK:
        if key not in BEFORE:
            place = fresh(case.world[case.kind], case.world.folder / f"whole {key}")
            prepare(place, case)
            BEFORE[key] = ask(place, *words, patience=WHOLE_SECONDS)
            shutil.rmtree(place)
            if BEFORE[key].code is None:  # half of an answer, and all that follows would differ
                raise TimeoutError(f"nothing came of {' '.join(words)}; this machine is too busy")
    return BEFORE[key]
