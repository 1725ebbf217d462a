"""Results of other trainers on disk: three tables in one folder instead of a folder a trial.

`trials.parquet` holds `schema.TRIAL`; `metrics.parquet` and `curves.parquet` a column `trial` and
`schema.METRICS` or `schema.CURVES`; study.json stands beside them, as for any study.
"""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import tempfile
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from ablate.disk import (
    FILES,
    make_folder,
    sealed,
    sync_folder,
    telling_disk_errors,
    unsealed,
    write_durable,
)
from ablate.disk import digest as of_bytes
from ablate.errors import UserError
from ablate.store.plan import STUDY
from ablate.store.schema import (
    CURVES,
    METRICS,
    SCHEMA,
    TRIAL,
    Column,
    arrow_schema,
    completed,
    conform,
    names,
)

OF_TRIAL = tuple(column for column in TRIAL if column.name == "trial")
TABLES: Mapping[str, tuple[Column, ...]] = {
    "trials": TRIAL,
    "metrics": OF_TRIAL + METRICS,
    "curves": OF_TRIAL + CURVES,
}


def is_imported(folder: Path) -> bool:
    """Return whether a results folder holds an imported table."""
    return (folder / "trials.parquet").is_file()


def read_imported(folder: Path, name: str) -> pd.DataFrame:
    """Return the table `name` of `TABLES`.

    Raises:
        UserError: The folder was written by a newer version, or the table cannot be read.
    """
    files, columns = _study(folder).get(FILES, {}), TABLES[name]
    try:
        content = (folder / f"{name}.parquet").read_bytes()
        if files and files.get(f"{name}.parquet") != of_bytes(content):
            raise ValueError("it is not what was written")
        table = completed(pq.ParquetFile(pa.BufferReader(content)).read(), columns)
        frame: pd.DataFrame = table.select(names(columns)).cast(arrow_schema(columns)).to_pandas()
    except (OSError, KeyError, ValueError, pa.ArrowException) as error:
        told = error if type(error) is ValueError else type(error).__name__
        raise UserError(
            f"{folder / name}.parquet cannot be read ({told}); delete {folder} and import the "
            "table again."
        ) from error
    if name == "trials":
        frame["study"] = folder.resolve().name
    return frame


def holds(folder: Path, trial: str) -> bool:
    """Return whether an imported trial lies in `folder`."""
    return bool((read_imported(folder, "trials")["trial"] == trial).any())


def provenance_of(folder: Path, trials: Collection[str] | None = None) -> dict[str, dict[str, Any]]:
    """Return trial -> provenance: the file that it came in, as nothing else is known."""
    source = _study(folder).get("imported")
    ids = read_imported(folder, "trials")["trial"]
    known = {"git": None, "versions": source, "device": None}
    return {str(one): known for one in ids if trials is None or one in trials}


def write_imported(
    folder: Path, tables: Mapping[str, pd.DataFrame], study: Mapping[str, Any]
) -> None:
    """Write a new results folder, whole or not at all.

    Args:
        folder: Its place; nothing may be there.
        tables: As `TABLES` names them.
        study: For study.json.

    Raises:
        UserError: Something is there already, or the folder cannot be written.
    """
    refuse_present(folder)
    with telling_disk_errors(folder):
        make_folder(folder.parent)
        unfinished = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
        try:
            unfinished.chmod(0o755)  # mkdtemp makes folders that only their owner may read
            files = {f"{name}.parquet": _parquet(tables[name], columns)
                     for name, columns in TABLES.items()}  # fmt: skip
            about = {**study, "schema": SCHEMA, FILES: {n: of_bytes(files[n]) for n in files}}
            for name, content in (files | {STUDY: sealed(about)}).items():
                write_durable(unfinished / name, content)
            sync_folder(unfinished)
            os.replace(unfinished, folder)
            sync_folder(folder.parent)
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)


def refuse_present(folder: Path) -> None:
    """Refuse a place that holds anything: an import joins nothing and replaces nothing.

    Raises:
        UserError: It does.
    """
    if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
        raise UserError(f"{folder} is there already; type another -o, or delete it.")


def digest(path: Path) -> str:
    """Return 16 hex digits of a file's content."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:16]


def _parquet(frame: pd.DataFrame, columns: tuple[Column, ...]) -> bytes:
    whole, sink = conform(frame, columns)[names(columns)], io.BytesIO()
    table = pa.Table.from_pandas(whole, arrow_schema(columns), preserve_index=False)
    pq.write_table(table.replace_schema_metadata(None), sink, compression="zstd")
    return sink.getvalue()


def _study(folder: Path) -> dict[str, Any]:
    """Return study.json of an imported table, unless a newer version wrote it."""
    try:
        study = unsealed((folder / STUDY).read_bytes())
        schema = int(study["schema"])
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise UserError(
            f"{folder / STUDY} cannot be read ({error}); delete {folder} and import the table "
            "again."
        ) from error
    if schema > SCHEMA:
        raise UserError(
            f"{folder} was written by a newer ablate (results schema {schema}, this one reads up "
            f"to {SCHEMA}); type `pip install --upgrade ablate`."
        )
    return study
