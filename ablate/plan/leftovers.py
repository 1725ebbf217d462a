"""What killed processes leave in a results folder, and how it goes without harm to the living.

Only the holder of a trial's claim writes under the trial's id. So files are listed first, claims
read afterwards: what was there before belongs to a claim that lives, or to the dead.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path

from ablate.disk import is_orphan
from ablate.plan.mend import is_id
from ablate.store.claims import SWEEP, is_alive, is_number, living, remove, sweeps_of, tidy
from ablate.store.layout import ended
from ablate.store.plan import TUNED
from ablate.train import checkpoint


def clear(folder: Path) -> None:
    """Remove half-written files of the dead, and their claims and checkpoints of finished trials.

    A checkpoint that somebody may go on from is kept, whoever made it. The tuned study inside is
    cleared as well: its trials lie among the others, its claims do not.
    """
    places = [folder, folder / TUNED]
    hidden = [*folder.glob("trials/.*"), *listed(places, "claims/.*")]
    claims, saved = listed(places, "claims/[!.]*"), listed(places, "checkpoints/[!.]*")
    marked = [
        path
        for pattern in (".*", "claims/*", "checkpoints/.*", "search/.*")
        for path in listed(places, pattern)
    ]
    held = {trial for place in places for trial in living(place, sure=True)}
    done = ended(folder)
    for path in hidden:
        if path.name.split(".")[1] not in held:
            remove(path)
    for path in claims:
        if is_over(path, done) and path.stem not in held:
            remove(path)
    for path in saved:
        if not held.intersection(owners := checkpoint.owners(path)) and done.issuperset(owners):
            remove(path)
    gone = [path for path in sweeps_of(folder) if not is_alive(path)]
    for path in [*filter(is_orphan, marked), *gone]:
        remove(path)
    for place in reversed(places):
        tidy(place)


def is_over(path: Path, done: Collection[str]) -> bool:
    """Return whether nobody needs a claim, once nobody holds it: it counts no deaths of a trial."""
    if ".by." in path.name or path.name.startswith(SWEEP):  # of a process, which may live
        return False
    return path.stem in done or not is_number(path.suffix[1:]) or not is_id(path.stem)


def listed(places: Sequence[Path], pattern: str) -> list[Path]:
    """Return what lies in any of the folders."""
    return [path for place in places for path in place.glob(pattern)]
