"""Training curves of many trials."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import pandas as pd

from ablate.store.folders import trial_folders
from ablate.store.imported import is_imported, read_imported
from ablate.store.read import read_table
from ablate.store.record import Damaged
from ablate.store.schema import CURVES, names


def read_curves(*folders: Path | str, trials: Collection[str] | None = None) -> pd.DataFrame:
    """Return the columns `trial` and `schema.CURVES`, sorted by trial, signal and images.

    Args:
        folders: Results folders.
        trials: Only these ids; all without it.

    Returns:
        One row per point; `attrs["damaged"]` lists trials whose curves cannot be read.

    Raises:
        UserError: A folder is not there or has no results.
    """
    tables = [pd.DataFrame(columns=["trial", *names(CURVES)]).astype(_dtypes())]
    damaged = []
    for one in trial_folders(*folders):
        if trials is not None and one.trial not in trials:
            continue
        try:
            tables.append(read_table(one, "curves", CURVES))
        except Damaged as error:
            damaged.append({"trial": one.trial, "path": str(one.path), "problem": str(error)})
    seen = {str(table["trial"].iloc[0]) for table in tables if len(table)}
    for folder in filter(is_imported, map(Path, folders)):
        table = read_imported(folder, "curves")
        wanted = ~table["trial"].isin(seen)
        tables.append(table[wanted if trials is None else wanted & table["trial"].isin(trials)])
        seen |= set(tables[-1]["trial"])
    curves = pd.concat(tables, ignore_index=True)
    curves = curves.sort_values(["trial", "signal", "images"], kind="stable", ignore_index=True)
    curves.attrs["damaged"] = damaged
    return curves


def _dtypes() -> dict[str, str]:
    return {"trial": "str"} | {column.name: column.dtype for column in CURVES}
