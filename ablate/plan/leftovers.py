"""What killed processes leave in a results folder, and how it goes without harm to the living.

Only the holder of a trial's claim writes under the trial's id. So files are listed first, claims
read afterwards: what was there before belongs to a claim that lives, or to the dead.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from ablate.plan.claim import living, tidy
from ablate.plan.files import TUNED, ended
from ablate.process import is_orphan
from ablate.train import checkpoint


def clear(folder: Path) -> None:
    """Remove half-written files of the dead, and their claims and checkpoints of finished trials.

    A checkpoint that somebody may go on from is kept, whoever made it. The tuned study inside is
    cleared as well: its trials lie among the others, its claims do not.
    """
    places = [folder, folder / TUNED]
    hidden = [*folder.glob("trials/.*"), *listed(places, "claims/.*")]
    claims, saved = listed(places, "claims/[!.]*.*"), listed(places, "checkpoints/[!.]*")
    marked = [
        path
        for pattern in (".*", "claims/*", "checkpoints/.*", "search/.*")
        for path in listed(places, pattern)
    ]
    held, done = {trial for place in places for trial in living(place)}, ended(folder)
    for path in hidden:
        if path.name.split(".")[1] not in held:
            remove(path)
    for path in claims:
        if path.stem in done - held:
            remove(path)
    for path in saved:
        if not held.intersection(owners := checkpoint.owners(path)) and done.issuperset(owners):
            remove(path)
    for path in filter(is_orphan, marked):
        remove(path)
    for place in reversed(places):
        tidy(place)


def listed(places: Sequence[Path], pattern: str) -> list[Path]:
    """Return what lies in any of the folders."""
    return [path for place in places for path in place.glob(pattern)]


def remove(path: Path) -> None:
    """Remove a file or folder that another process may be removing as well."""
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
