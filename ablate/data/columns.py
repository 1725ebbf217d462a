"""Columns of Parquet files: one of images, and one of labels where there is one."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ablate.data.arrays import refuse_huge
from ablate.data.decode import Encoded, Unreadable, reason_of
from ablate.data.labels import classes_of, numbered, refuse_ids
from ablate.data.pixels import to_pixels
from ablate.data.reading import Reading
from ablate.errors import UserError

HALVES = ("training", "held-out")
AUTO, LABEL = "auto", "label"
WITHOUT = "say data.label_column=null to do without labels, or the NAME of another column"


@dataclass(frozen=True)
class Shard:
    """A Parquet file.

    Attributes:
        files: Its images.
        labels: Its column of labels as pyarrow has it, or None.
        label_name: What messages call the labels.
        reading: What a person should know of its columns.
    """

    files: Sequence[Encoded]
    labels: Any
    label_name: str
    reading: Reading


def read_shard(path: Path, image_column: str | None, label_column: str | None) -> Shard:
    """The images and labels of a file.

    Raises:
        UserError: It cannot be read, or has no such column.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(path)
        schema = file.schema_arrow
        image = _image_column(schema, image_column, path)
        label = _label_column(schema, label_column, path)
        refuse_huge(path, _unpacked(file.metadata, {image, label}))
        table = file.read(columns=[image] if label is None else [image, label])
    except (pa.ArrowException, OSError) as error:
        raise UserError(
            f"{path} is no readable parquet file ({error}); delete it and download it again."
        ) from error
    others = [name for name in schema.names if name != image]
    notes = (f"no column is called label; {', '.join(others)} are left out",)
    lacking = label is None and label_column == AUTO and others
    return Shard(
        [
            Encoded(f"Row {row} of {path}", source)
            for row, source in enumerate(_sources(table.column(image)))
        ],
        None if label is None else table.column(label),
        f"Column {label or LABEL} of {path}",
        Reading(notes=notes if lacking else ()),
    )


def _unpacked(told: Any, columns: set[str | None]) -> int:
    """Bytes that columns of a file become, as it says itself, or a byte a row at least."""
    groups = [told.row_group(at) for at in range(told.num_row_groups)]
    chunks = [group.column(at) for group in groups for at in range(group.num_columns)]
    ours = [one for one in chunks if one.path_in_schema.partition(".")[0] in columns]
    return max(told.num_rows, sum(one.total_uncompressed_size for one in ours))


def _image_column(schema: Any, wanted: str | None, path: Path) -> str:
    encoded = [field.name for field in schema if _holds_files(field.type)]
    holders = encoded or [field.name for field in schema if _depth(field.type) > 1]
    if wanted is None and len(holders) == 1:
        return str(holders[0])
    if wanted in schema.names and (wanted in holders or _depth(schema.field(wanted).type) > 1):
        return str(wanted)
    missing = f"no image column {wanted!r}" if wanted else f"{len(holders)} image columns"
    way_out = (
        f"say data.image_column={holders[0]}"
        if holders
        else "an image column is a struct {bytes, path}, binary, or lists of rows of pixels"
    )
    raise UserError(f"{path} has {missing} among its columns {', '.join(schema.names)}; {way_out}.")


def _holds_files(kind: Any) -> bool:
    import pyarrow as pa

    if pa.types.is_struct(kind):
        return any(kind.field(at).name == "bytes" for at in range(kind.num_fields))
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind))


def _depth(kind: Any) -> int:
    """How many lists lie in each other around numbers; 0 around anything else."""
    import pyarrow as pa

    depth = 0
    while (
        pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)
    ):
        depth, kind = depth + 1, kind.value_type
    return depth if pa.types.is_integer(kind) or pa.types.is_floating(kind) else 0


def _sources(column: Any) -> list[Callable[[], bytes]]:
    """What returns the encoded image of each row."""
    pixels = _depth(column.type) > 1
    return [partial(_drawn if pixels else _bytes, cell) for cell in column.to_pylist()]


def _bytes(cell: Any) -> bytes:
    content = cell.get("bytes") if isinstance(cell, dict) else cell
    if content is None:
        raise Unreadable(
            "holds no image bytes, perhaps only a path: write the shards with the images embedded"
        )
    return bytes(content)


def _drawn(cell: Any) -> bytes:
    """A PNG of rows of pixels [H, W], [H, W, C] or [C, H, W]."""
    from PIL import Image

    if cell is None:
        raise Unreadable("holds no pixels")
    try:
        array = np.asarray(cell)
        if array.dtype.kind in "iu" and array.min() >= 0 and array.max() <= 255:
            array = array.astype(np.uint8)
        pixels = to_pixels(array, "It")
        if pixels.ndim == 3 and pixels.shape[2] not in (1, 3, 4) and pixels.shape[0] in (1, 3, 4):
            pixels = np.moveaxis(pixels, 0, 2)
        if pixels.ndim == 3 and pixels.shape[2] == 1:
            pixels = pixels[:, :, 0]
        stream = BytesIO()
        Image.fromarray(np.ascontiguousarray(pixels)).save(stream, "png", compress_level=0)
    except UserError as error:
        raise Unreadable(reason_of(error)) from error
    except (ValueError, TypeError, OSError) as error:  # also of rows of different lengths
        raise Unreadable(f"holds no image of numbers ({error})") from error
    return stream.getvalue()


def _label_column(schema: Any, wanted: str | None, path: Path) -> str | None:
    name = LABEL if wanted == AUTO else wanted
    if name is None or name in schema.names:
        return name
    if wanted == AUTO:
        return None
    raise UserError(
        f"{path} has no label column {wanted!r} among its columns {', '.join(schema.names)}; "
        "say data.label_column=NAME, or null for an unlabelled set."
    )


Halves = tuple[torch.Tensor | None, torch.Tensor | None]


def labels_of(
    train: Sequence[Shard], held_out: Sequence[Shard]
) -> tuple[Halves, int | None, Reading]:
    """Labels of both halves as class numbers, the number of classes, and what was made of them.

    A half of which no label is known (the hub writes -1, others null) has None.

    Raises:
        UserError: They are ids, measurements, lists, or not known for some of the images.
    """
    halves = [_values(shards) for shards in (train, held_out)]
    known = [half for half in halves if half is not None]
    unknown = [
        f"no label of the {half} half is known"
        for half, shards, values in zip(HALVES, (train, held_out), halves, strict=True)
        if values is None and shards and (known or shards[0].labels is not None)
    ]
    if not known:
        return (None, None), None, Reading(notes=tuple(unknown))
    if len({half.dtype.kind for half in known}) > 1:
        raise UserError(
            f"{train[0].label_name} is of another kind than the held-out labels; {WITHOUT}."
        )
    whole, reading = np.concatenate(known), Reading()
    if halves[0] is not None:
        refuse_ids(len(np.unique(halves[0])), len(halves[0]), train[0].label_name, WITHOUT)
    if whole.dtype.kind in "iu":
        numbers, count, reading = numbered(whole)
    else:
        numbers, names = classes_of(whole.tolist())
        count = len(names)
    made = torch.from_numpy(numbers)
    parts = iter(made.split([len(half) for half in known]))
    first, second = (None if half is None else next(parts) for half in halves)
    return (first, second), count, reading + Reading(notes=tuple(unknown))


def _values(shards: Sequence[Shard]) -> NDArray[Any] | None:
    """Class numbers int64 [N] or names [N] of shards, None where no label is known."""
    import pyarrow as pa

    columns = [shard.labels for shard in shards if shard.labels is not None]
    if not columns:
        return None
    if len(columns) < len(shards):
        raise UserError(f"{shards[0].label_name} is missing in some shards; {WITHOUT}.")
    name, count = shards[0].label_name, sum(len(column) for column in columns)
    nulls = sum(column.null_count for column in columns)
    if nulls == count:
        return None
    if nulls:
        raise UserError(f"{name} is null for {nulls:,} of {count:,} images; {WITHOUT}.")
    try:
        found = np.concatenate([_numpy(column, name) for column in columns if len(column)])
    except pa.ArrowException as error:
        raise UserError(f"{name} holds no class numbers ({error}); {WITHOUT}.") from error
    if found.dtype.kind != "i" or (found >= 0).all():
        return found
    if (found < 0).all():
        return None
    raise UserError(f"{name} is negative for {(found < 0).sum():,} of {count:,} images; {WITHOUT}.")


def _numpy(column: Any, name: str) -> NDArray[Any]:
    import pyarrow as pa

    kind = column.type
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return np.asarray(column.cast(kind).to_pylist(), object)
    if pa.types.is_floating(kind):
        values = column.cast(pa.float64()).to_numpy()
        if not (values == np.floor(values)).all():
            raise UserError(f"{name} holds measurements, which are no classes; {WITHOUT}.")
    elif not (pa.types.is_integer(kind) or pa.types.is_boolean(kind)):
        raise UserError(f"{name} holds {kind}, which is no label of an image; {WITHOUT}.")
    return column.cast(kind).cast(pa.int64()).to_numpy()
