"""An attack, what it found, and the table of many."""

from __future__ import annotations

import random
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from benchmarks.durability import studies
from benchmarks.durability.ask import Answer, fresh

VIOLATION = "result violation"  # a number, a status or an arm that is wrong, and nobody says so
TRACEBACK = "traceback"
SILENCE = "without an answer"
OTHER = "other"  # damage that is not told, a file left behind, an end without a sentence
KINDS = (VIOLATION, TRACEBACK, SILENCE, OTHER)
Found = list[tuple[str, str]]  # kind, and in words


@dataclass(frozen=True)
class Attack:
    """One attack.

    Attributes:
        name: What it does; enough to do it by hand.
        run: Does it in a folder of its own and says what was wrong.
        study: Which of `studies.STUDIES` lies in that folder, undisturbed; "" for an empty folder.
        of: The line of the table that it is counted in.
    """

    name: str
    run: Callable[[Path], Found]
    study: str = ""
    of: str = ""


class World:
    """Undisturbed studies, each made once, when it is first asked for."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.made = folder, dict[str, Path]()

    def __getitem__(self, kind: str) -> Path:
        if kind not in self.made:
            self.made[kind] = studies.make(kind, self.folder / kind.replace(" ", "-"))
        return self.made[kind]


def judged(answer: Answer) -> Found:
    """Return what no command may do, whatever it is asked."""
    if answer.code is None:
        return [(SILENCE, f"nothing for {answer.seconds:.0f} s")]
    if answer.crashed:
        return [(TRACEBACK, answer.last)]
    if answer.code and not answer.text.strip():
        return [(OTHER, f"ended with {answer.code} and no sentence")]
    return []


def sampled(attacks: Iterable[Attack], n: int | None, seed: int) -> list[Attack]:
    """Return `n` of the attacks, drawn; all without it."""
    every = list(attacks)
    if n is None or n >= len(every):
        return every
    chosen = random.Random(seed).sample(range(len(every)), n)
    return [every[i] for i in sorted(chosen)]


def carried_out(
    attacks: Sequence[Attack], world: World, workers: int = 1
) -> Iterator[tuple[Attack, Found]]:
    """Yield each attack with what it found."""
    for kind in {attack.study for attack in attacks if attack.study}:
        world[kind]  # before many want it at once

    def one(attack: Attack) -> tuple[Attack, Found]:
        place = Path(tempfile.mkdtemp(dir=world.folder))
        try:
            if attack.study:
                fresh(world[attack.study], place)
            return attack, attack.run(place)
        finally:
            shutil.rmtree(place, ignore_errors=True)

    with ThreadPoolExecutor(workers) as pool:
        yield from pool.map(one, attacks)


class Tally:
    """Counts of one line."""

    def __init__(self) -> None:
        self.attacks, self.counts = 0, Counter[str]()

    def add(self, found: Found) -> None:
        self.attacks += 1
        self.counts.update({kind for kind, _ in found})

    def cells(self) -> list[str]:
        return [f"{self.attacks:,}", *(f"{self.counts[kind]:,}" for kind in KINDS)]


def table(lines: dict[str, Tally]) -> str:
    """Return the counts in Markdown: attacks that found something, each once a kind."""
    head = ["| attack | attacks | result violations | tracebacks | no answer in 10 s | other |",
            "| :-- | --: | --: | --: | --: | --: |"]  # fmt: skip
    return "\n".join(
        [*head, *(f"| {name} | {' | '.join(t.cells())} |" for name, t in lines.items())]
    )
