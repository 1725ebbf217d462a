"""One trial's folder, written whole or not at all."""

from __future__ import annotations

import errno
import io
import json
import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from ablate.disk import (
    FILES,
    digest,
    make_folder,
    sealed,
    sync_folder,
    telling_disk_errors,
    write_durable,
)
from ablate.store.record import STATUS, STATUS_KEYS, TRACE, trial_of
from ablate.store.schema import (
    CURVES,
    METRICS,
    SCHEMA,
    STATUSES,
    Column,
    arrow_schema,
    conform,
    names,
)

ALREADY_THERE = {errno.ENOTEMPTY, errno.EEXIST}
Rows = pd.DataFrame | Sequence[Mapping[str, Any]]


def write_trial(
    folder: Path,
    trial_json: Mapping[str, Any],
    status: Mapping[str, Any],
    metrics: Rows,
    curves: Rows,
    samples: Mapping[str, np.ndarray],
    provenance: Mapping[str, Any],
) -> bool:
    """Write `folder/trials/<id>/`, atomically: readers see the whole trial or none of it.

    A trial that is already there is kept, as the same trial gives the same result.

    Args:
        folder: The results folder of the study; made if it is not there.
        trial_json: The fields of `Trial`.
        status: The keys `record.STATUS_KEYS`; `trace`, where it crashed, becomes a file.
        metrics: Columns `schema.METRICS`; may have no rows.
        curves: Columns `schema.CURVES`; may have no rows.
        samples: Generator -> grid, uint8 `[N, C, H, W]` or float32 `[N, 2]`.
        provenance: git, versions, device, command, config.

    Returns:
        True if this result was written, False if an earlier one was kept.

    Raises:
        UserError: The disk is full or the folder cannot be written; nothing is left behind.
    """
    files = {
        "trial.json": _json({**trial_json, "schema": SCHEMA}),
        "metrics.parquet": _parquet(metrics, METRICS),
        "curves.parquet": _parquet(curves, CURVES),
        "samples.npz": _npz(samples),
        "provenance.json": _json(provenance),
    }
    record = _checked(status)
    if trace := record.pop("trace", None):
        files[TRACE] = trace.encode(errors="backslashreplace")
    files[STATUS] = sealed(record | {FILES: {n: digest(files[n]) for n in files}})
    with telling_disk_errors(folder):
        return _place(folder / "trials", trial_of(trial_json).id, files)


def _place(trials: Path, trial: str, files: Mapping[str, bytes]) -> bool:
    """Write `files` into a sibling folder and rename it to its name."""
    if (trials / trial).exists():
        return False
    make_folder(trials)
    # The leading dot keeps a folder that a killed process left behind out of every reading.
    unfinished = Path(tempfile.mkdtemp(prefix=f".{trial}.", dir=trials))
    try:
        unfinished.chmod(0o755)  # mkdtemp makes folders that only their owner may read
        for name, content in files.items():
            write_durable(unfinished / name, content)
        sync_folder(unfinished)
        return _rename(unfinished, trials / trial)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def _rename(unfinished: Path, final: Path) -> bool:
    """Rename unless another process was first, which the kernel decides."""
    try:
        os.replace(unfinished, final)
    except OSError as error:
        if error.errno in ALREADY_THERE:
            return False
        raise
    sync_folder(final.parent)
    return True


def _checked(status: Mapping[str, Any]) -> dict[str, Any]:
    assert set(STATUS_KEYS) <= set(status), f"status lacks {set(STATUS_KEYS) - set(status)}"
    assert status["status"] in STATUSES, f"{status['status']!r} is none of {list(STATUSES)}"
    return dict(status)


def _json(content: Mapping[str, Any]) -> bytes:
    return json.dumps(content, sort_keys=True, indent=1, default=str).encode() + b"\n"


def _parquet(rows: Rows, columns: tuple[Column, ...]) -> bytes:
    schema = arrow_schema(columns)
    if isinstance(rows, pd.DataFrame):
        frame = conform(rows, columns)[names(columns)]
        table = pa.Table.from_pandas(frame, schema, preserve_index=False)
    else:  # as the loop leaves them; a frame of a few rows takes ten times as long
        table = pa.Table.from_pylist(list(rows), schema)
    sink = io.BytesIO()
    pq.write_table(table.replace_schema_metadata(None), sink, compression="zstd")
    return sink.getvalue()


def _npz(samples: Mapping[str, np.ndarray]) -> bytes:
    for grid in samples.values():
        assert grid.dtype in (np.uint8, np.float32), f"samples of {grid.dtype}"
    sink = io.BytesIO()
    np.savez_compressed(sink, allow_pickle=False, **dict(samples))
    return sink.getvalue()
