"""A file of results as a frame: what is text stays text, so no name becomes a number."""

from __future__ import annotations

import gzip
import json
import re
import zipfile
import zlib
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.csv as pc
import pyarrow.parquet as pq

from ablate.errors import UserError
from ablate.importer.cells import stripped

PACKED = (".gz", ".bz2", ".zst", ".lz4", ".br")
KINDS = {
    ".parquet": "Parquet", ".pq": "Parquet", ".xlsx": "Excel", ".xlsm": "Excel", ".json": "JSON",
    ".jsonl": "JSON", ".ndjson": "JSON",
}  # fmt: skip
OTHERS = (".xls", ".xlsb", ".ods", ".numbers", ".pkl", ".feather", ".h5", ".npz", ".zip")
MAGIC = {b"PAR1": "Parquet", b"PK\x03\x04": "Excel"}
BOMS = {
    b"\xff\xfe\x00\x00": "utf-32", b"\x00\x00\xfe\xff": "utf-32", b"\xef\xbb\xbf": "utf-8-sig",
    b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16",
}  # fmt: skip
MOST_BYTES = 2**29  # of a table, unpacked
MOST_COLUMNS = 2000
BETWEEN = (",", ";", "\t", "|")


def read_file(path: Path, sheet: str | None = None) -> pd.DataFrame:
    """Return all columns of a file; those of a text file are text, empty cells are missing.

    Rows and columns without anything are left out, an index is columns like any other. `attrs`
    holds `read`: what the file was taken for, where that was not to be seen from its name.

    Args:
        path: CSV (also .tsv, .txt and what Excel writes), Parquet, .xlsx, JSON records or lines;
            any of them as .gz.
        sheet: Of a workbook that has several.

    Raises:
        UserError: It is not there, cannot be read, has no rows, or a column twice.
    """
    if not path.is_file():
        raise UserError(f"There is no file {path}; name a CSV, Parquet, Excel or JSON file.")
    kind = _kind(path, b"")
    try:
        content = _unpacked(path)
        kind = _kind(path, content)
        frame = _READERS[kind](content, path, sheet)
    except UserError:
        raise
    except (
        OSError, ValueError, KeyError, RecursionError, EOFError, zlib.error, zipfile.BadZipFile,
        pa.ArrowException,
    ) as error:  # fmt: skip
        why = (str(error).splitlines() or [type(error).__name__])[0]
        raise UserError(
            f"{path} cannot be read as {kind} ({why}); repair it, or save it anew from the program "
            "that wrote it."
        ) from error
    return _whole(frame, path)


def _unpacked(path: Path) -> bytes:
    with pa.input_stream(str(path), compression="detect") as stream:
        content = bytes(stream.read(MOST_BYTES + 1))
    if content.startswith(b"\x1f\x8b"):
        with gzip.GzipFile(fileobj=BytesIO(content)) as inner:
            content = inner.read(MOST_BYTES + 1)
    size = len(content)
    if content.startswith(b"PK\x03\x04") and size <= MOST_BYTES:
        size = sum(info.file_size for info in zipfile.ZipFile(BytesIO(content)).infolist())
    elif content.startswith(b"PAR1"):
        known = pq.ParquetFile(BytesIO(content)).metadata
        size = max(size, known.num_rows * known.num_columns)
    if size > MOST_BYTES:
        raise UserError(
            f"{path} unpacks to more than {MOST_BYTES:,} bytes, which no table of results has; "
            "take out the rows and columns that are none."
        )
    return content


def _kind(path: Path, content: bytes) -> str:
    """Return what a file is: by how it begins, else by its name."""
    suffixes = [suffix.lower() for suffix in path.suffixes]
    suffix = next((one for one in reversed(suffixes) if one not in PACKED), "")
    for magic, kind in MAGIC.items():
        if content.startswith(magic) and suffix not in OTHERS:
            return kind
    if suffix in OTHERS:
        raise UserError(
            f"{path} is no table that can be read; save it as .csv, .xlsx, .parquet or .json."
        )
    begins = content[:100].lstrip(b"\xef\xbb\xbf \r\n\t")
    if suffix not in KINDS and begins.startswith((b'{"', b"[{", b"[\n", b"{\n")):
        return "JSON"
    return KINDS.get(suffix, "CSV")


def _whole(frame: pd.DataFrame, path: Path) -> pd.DataFrame:
    """Return `frame` with clean names, without empty rows and columns.

    Raises:
        UserError: Nothing is left, or a column is there twice.
    """
    if frame.shape[1] > MOST_COLUMNS:
        raise UserError(
            f"{path} has {frame.shape[1]:,} columns; take out those that are no results, "
            f"{MOST_COLUMNS:,} can be read."
        )
    blank = frame.apply(_blank)
    names = [stripped(str(name)) for name in frame]
    kept = [bool(name) or not blank.iloc[:, n].all() for n, name in enumerate(names)]
    frame = frame.loc[~blank.all(axis=1), kept].reset_index(drop=True)
    names = [name or f"column {n + 1}" for n, name in enumerate(names) if kept[n]]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise UserError(f"{path} has the column {twice[0]!r} twice; rename one of them.")
    if frame.empty:
        raise UserError(f"{path} has no rows; name a table with one row a result.")
    return frame.set_axis(names, axis=1)


def _blank(column: pd.Series) -> pd.Series:
    empty = column.isna()
    text = column.dtype in ("str", "object")
    return empty | (column.astype("str").str.strip() == "") if text else empty


def _csv(content: bytes, path: Path, sheet: str | None) -> pd.DataFrame:
    text, encoding = _decoded(content)
    first, _, rest = text.partition("\n")
    between = re.fullmatch(r"sep=(.)\s*", first.strip("\ufeff\r"))  # Excel's own first line
    if between:
        text = rest
    text = re.sub(r"\A(?:[\s,;|\"]*\r?\n)+", "", text)
    header = re.sub('"[^"]*"', "", text.split("\n", 1)[0])
    mark = between[1] if between else max(BETWEEN, key=header.count)
    data, parse = text.encode(), pc.ParseOptions(delimiter=mark, newlines_in_values=True)
    names = pc.open_csv(BytesIO(data), parse_options=parse).schema.names
    texts = pc.ConvertOptions(
        column_types=dict.fromkeys(names, pa.large_string()),
        null_values=[""],
        strings_can_be_null=True,
    )
    frame: pd.DataFrame = pc.read_csv(
        BytesIO(data), parse_options=parse, convert_options=texts
    ).to_pandas()
    frame.attrs["read"] = "" if encoding in ("utf-8", "utf-8-sig") else f"text in {encoding}"
    return frame


def _decoded(content: bytes) -> tuple[str, str]:
    """Return text and encoding: by its mark, else UTF-8, else what Windows of the west writes."""
    for bom, encoding in BOMS.items():
        if content.startswith(bom):
            return content.decode(encoding), encoding
    if b"\0" in content[:1000]:  # UTF-16 that does not say so; where ASCII has its zeros
        encoding = "utf-16-be" if content[:1] == b"\0" else "utf-16-le"
        return content.decode(encoding), encoding
    try:
        return content.decode("utf-8"), "utf-8"
    except UnicodeDecodeError:
        return content.decode("cp1252"), "cp1252"


def _parquet(content: bytes, path: Path, sheet: str | None) -> pd.DataFrame:
    table = pq.read_table(BytesIO(content))
    frame: pd.DataFrame = table.to_pandas()
    if frame.index.nlevels > 1 or not isinstance(frame.index, pd.RangeIndex):
        taken = {str(name) for name in frame}
        free = [name if name is not None else "index" for name in frame.index.names]
        named = [str(name) for name in free if str(name) not in taken]
        frame = frame.reset_index(names=named) if len(named) == len(free) else frame
    mixed = [name for name in frame if frame[name].dtype == "object"]
    return frame.assign(**{str(n): frame[n].map(_flat, na_action="ignore") for n in mixed})


def _flat(cell: Any) -> Any:
    """Return text for what may not stand in a table: bytes, lists, dicts, decimals, dates."""
    if isinstance(cell, bytes):
        return cell.decode("utf-8", "replace")
    return cell if isinstance(cell, str | bool | int | float) else str(cell)


def _json(content: bytes, path: Path, sheet: str | None) -> pd.DataFrame:
    text = _decoded(content)[0].lstrip("\ufeff")
    # numbers as they are written, so that no digit is lost; NaN and Infinity are JSON to Python
    read: Callable[[str], Any] = json.JSONDecoder(
        parse_float=str, parse_int=str, parse_constant=str
    ).decode
    try:
        found = read(text)
    except ValueError:
        found = [read(line) for line in text.splitlines() if line.strip()]
    if isinstance(found, dict):
        kinds = {type(column) for column in found.values()}
        is_columns = kinds in ({list}, {dict})  # as pandas writes it
        found = pd.DataFrame(found).to_dict("records") if is_columns else [found]
    if not isinstance(found, list) or not all(isinstance(row, dict) for row in found):
        raise ValueError("it is no list of objects, a row each")
    return pd.json_normalize(found).map(_told, na_action="ignore")


def _told(cell: Any) -> str:
    return str(cell).lower() if isinstance(cell, bool) else str(cell)


def _excel(content: bytes, path: Path, sheet: str | None) -> pd.DataFrame:
    import openpyxl

    book = openpyxl.load_workbook(BytesIO(content), data_only=True)
    full = [one.title for one in book.worksheets if one.max_row > 1]
    if sheet is None and len(full) > 1:
        raise UserError(f"{path} has the sheets {', '.join(book.sheetnames)}; type --sheet NAME.")
    name = (full or book.sheetnames)[0] if sheet is None else sheet
    if name not in book.sheetnames:
        raise UserError(
            f"{path} has no sheet {name!r}; type --sheet with one of {', '.join(book.sheetnames)}."
        )
    _refuse_uncounted(content, name, book, path)
    rows = [[_cell(value) for value in row] for row in book[name].iter_rows(values_only=True)]
    filled = [row for row in rows if any(row)]
    if not filled:
        raise UserError(f"{path} has nothing in its sheet {name!r}; type another --sheet.")
    return pd.DataFrame(filled[1:], columns=[text or "" for text in filled[0]], dtype="object")


def _cell(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return str(value).lower() if isinstance(value, bool) else str(value)


def _refuse_uncounted(content: bytes, name: str, book: Any, path: Path) -> None:
    """Refuse formulas that no spreadsheet has computed yet: they would read as empty cells."""
    import openpyxl

    written = openpyxl.load_workbook(BytesIO(content))[name]
    for row in written.iter_rows():
        for cell in row:
            if cell.data_type == "f" and book[name][cell.coordinate].value is None:
                raise UserError(
                    f"{path} has a formula without its value in cell {cell.coordinate} of "
                    f"{name!r}; open it in a spreadsheet, save it, and import it again."
                )


_READERS: dict[str, Callable[[bytes, Path, str | None], pd.DataFrame]] = {
    "CSV": _csv,
    "Parquet": _parquet,
    "JSON": _json,
    "Excel": _excel,
}
