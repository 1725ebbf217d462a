"""What the plan said of its arms: which cannot be trained and why, and what is doubtful."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple


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
    """Yield the arms of every study.json there is; folders of single trials have none."""
    for folder in folders:
        file = Path(folder) / "study.json"
        if file.is_file():
            for arm in json.loads(file.read_text(encoding="utf-8"))["arms"]:
                yield Arm(arm["arm"], tuple(arm["refused"]), tuple(arm["doubts"]))
