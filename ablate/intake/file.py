"""A CSV or Parquet file as a frame: what a CSV holds is text, so no name becomes a number."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.csv as pc
import pyarrow.parquet as pq

from ablate.errors import UserError

PARQUET = (".parquet", ".pq")


def read_file(path: Path) -> pd.DataFrame:
    """Return all columns of a file; every column of a CSV is text, empty cells are missing.

    Raises:
        UserError: It is not there, cannot be read, has no rows, or a column twice.
    """
    if not path.is_file():
        raise UserError(f"There is no file {path}; name a CSV or Parquet file.")
    is_parquet = path.suffix.lower() in PARQUET
    try:
        table = pq.ParquetFile(path).read() if is_parquet else _csv(path)
    except (OSError, ValueError, pa.ArrowException) as error:
        kind = "Parquet" if is_parquet else "CSV in UTF-8"
        raise UserError(
            f"{path} cannot be read as {kind} ({str(error).splitlines()[0]}); repair it, or save "
            "it anew from the program that wrote it."
        ) from error
    twice = sorted({name for name in table.column_names if table.column_names.count(name) > 1})
    if twice:
        raise UserError(f"{path} has the column {twice[0]!r} twice; rename one of them.")
    if not table.num_rows:
        raise UserError(f"{path} has no rows; name a table with one row a result.")
    frame: pd.DataFrame = table.to_pandas(split_blocks=True, self_destruct=True)
    return frame.rename(columns=str)


def _csv(path: Path) -> pa.Table:
    with pa.input_stream(str(path), compression="detect") as stream:
        header = stream.read(2**16).split(b"\n")[0]
    names = pc.open_csv(path, parse_options=_parsed(header)).schema.names
    texts = pc.ConvertOptions(
        column_types=dict.fromkeys(names, pa.large_string()),
        null_values=[""],
        strings_can_be_null=True,
    )
    return pc.read_csv(path, parse_options=_parsed(header), convert_options=texts)


def _parsed(header: bytes) -> pc.ParseOptions:
    """Return options for what stands between columns: a comma, else what a spreadsheet wrote."""
    between = max(b",;\t", key=header.count)
    return pc.ParseOptions(delimiter=chr(between), newlines_in_values=True)
