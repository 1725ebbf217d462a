"""What the plan said of its arms: which cannot be trained and why, and what is doubtful."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from ablate.store.study import read_study


class Arm(NamedTuple):
    """One planned arm.

    Attributes:
        name: As tables call it.
        refused: Why it cannot be trained, one sentence a reason; empty for an arm that can.
        doubts: What to keep in mind when reading its row.
    """

    name: str
    refused: tuple[str, ...]
    doubts: tuple[str, ...]


def read_arms(*folders: Path) -> Iterator[Arm]:
    """Yield the arms of every study.json there is; folders of single trials have none.

    Raises:
        UserError: One cannot be read.
    """
    for folder in map(Path, folders):
        for arm in read_study(folder).get("arms", []):
            yield Arm(arm["arm"], tuple(arm["refused"]), tuple(arm["doubts"]))
