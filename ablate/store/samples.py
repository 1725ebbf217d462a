"""The sample grid of a trial; sample i has the same latent in every arm."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Collection
from pathlib import Path

import numpy as np

from ablate.errors import UserError
from ablate.store.folders import trial_folders
from ablate.store.imported import holds, is_imported
from ablate.store.record import read_file


def read_samples(*folders: Path | str, trial: str) -> dict[str, np.ndarray]:
    """Return generator -> grid, uint8 `[N, C, H, W]` or float32 `[N, 2]`; none if unreadable.

    Raises:
        UserError: No folder holds `trial`.
    """
    found = read_all_samples(*folders, trials=[trial])
    if not found and any(is_imported(f) and holds(f, trial) for f in map(Path, folders)):
        return {}
    if not found:
        raise UserError(
            f"No results folder holds trial {trial}; take an id from the `trial` column."
        )
    return found[trial]


def read_all_samples(
    *folders: Path | str, trials: Collection[str]
) -> dict[str, dict[str, np.ndarray]]:
    """Return trial -> its grids, for those of `trials` that the folders hold."""
    wanted = set(trials)
    return {one.trial: _load(one.path) for one in trial_folders(*folders) if one.trial in wanted}


def _load(folder: Path) -> dict[str, np.ndarray]:
    try:
        content = read_file(folder, "samples.npz")
        with np.load(io.BytesIO(content), allow_pickle=False) as file:
            return {name: file[name] for name in file.files}
    except (ValueError, KeyError, EOFError, zlib.error, zipfile.BadZipFile):
        return {}
