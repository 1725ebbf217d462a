"""With what each trial was trained."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any

from ablate.store.folders import trial_folders
from ablate.store.imported import is_imported, provenance_of
from ablate.store.record import Damaged, read_json


def read_provenance(
    *folders: Path | str, trials: Collection[str] | None = None
) -> dict[str, dict[str, Any]]:
    """Return trial -> git, versions, device, command, config; of `trials`, or of all.

    A trial whose provenance cannot be read is left out. Of an imported one the file is known.

    Raises:
        UserError: A folder is not there or has no results.
    """
    found: dict[str, dict[str, Any]] = {}
    for folder in filter(is_imported, map(Path, folders)):
        found |= provenance_of(folder, trials)
    for one in trial_folders(*folders):
        if trials is not None and one.trial not in trials:
            continue
        try:
            found[one.trial] = read_json(one.path, "provenance.json")
        except Damaged:
            continue
    return found
