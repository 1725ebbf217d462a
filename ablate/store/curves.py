"""Training curves of many trials."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import pandas as pd
import pyarrow as pa

from ablate.store.folders import trial_folders
from ablate.store.imported import is_imported, read_imported
from ablate.store.read import table_of
from ablate.store.record import Damaged, read_file
from ablate.store.schema import CURVES, TRIAL, arrow_schema

TRIAL_ID = next(column for column in TRIAL if column.name == "trial")


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
    tables = [arrow_schema((TRIAL_ID, *CURVES)).empty_table()]
    damaged = []
    for one in trial_folders(*folders):
        if trials is not None and one.trial not in trials:
            continue
        try:
            content = read_file(one.path, "curves.parquet")
            tables.append(table_of(one, "curves", CURVES, content))
        except Damaged as error:
            damaged.append({"trial": one.trial, "path": str(one.path), "problem": error.problem})
    curves: pd.DataFrame = pa.concat_tables(tables).to_pandas()
    for folder in filter(is_imported, map(Path, folders)):
        table = read_imported(folder, "curves")
        wanted = ~table["trial"].isin(curves["trial"].unique())
        table = table[wanted if trials is None else wanted & table["trial"].isin(trials)]
        curves = pd.concat([curves, table], ignore_index=True)
    curves = curves.sort_values(["trial", "signal", "images"], kind="stable", ignore_index=True)
    curves.attrs["damaged"] = damaged
    return curves
