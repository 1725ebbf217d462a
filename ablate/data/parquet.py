"""`parquet`: image sets as the Hugging Face hub ships them.

A column holds {bytes, path} with an encoded image in `bytes`; another may hold the label. Shards
are named train-00000-of-00002.parquet, test-..., in one folder.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ablate.data.cache import cached
from ablate.data.dataset import Dataset, Split
from ablate.data.decode import Encoded, Form, decode_all
from ablate.data.root import find_root
from ablate.data.split import hold_out
from ablate.errors import UserError

HELD_OUT_NAMES = ("test", "validation", "valid", "val")


def parquet(
    root: str | Path | None,
    cache: Path | None = None,
    image_column: str | None = None,
    label_column: str | None = None,
    size: int | None = None,
    channels: int = 3,
    title: str | None = None,
) -> Dataset:
    """All images of the train shards and of the test shards.

    Args:
        root: Folder of the shards, or one file.
        cache: Where decoded images are kept; None keeps none.
        image_column: None takes the only column of {bytes, path}.
        label_column: None takes `label` where there is one.
        size: Resize the short side and cut out the centre; None needs images of one size.
        channels: 1 or 3.
        title: What tables call the set; None takes the name of the folder.

    Raises:
        UserError: No shards, no such column, or a damaged image.
    """
    place = find_root(root, "parquet")
    form = Form(size, channels)
    train_shards, held_out_shards = _shards(place)
    columns = (image_column, label_column)
    name = title or place.stem
    train = _load_split(train_shards, columns, form, cache)
    if held_out_shards:
        held_out = _load_split(held_out_shards, columns, form, cache)
    else:
        train, held_out = hold_out(train, name)
    return Dataset(name, train, held_out, classes=_count_classes(train, held_out))


def _shards(place: Path) -> tuple[list[Path], list[Path]]:
    """Train and held-out files; a file without either name in front is for training."""
    if place.is_file():
        return [place], []
    files = sorted(place.rglob("*.parquet"))
    named = {
        part: [file for file in files if file.name.startswith(part)]
        for part in ("train", *HELD_OUT_NAMES)
    }
    held_out = next((named[part] for part in HELD_OUT_NAMES if named[part]), [])
    other = [file for file in files if not file.name.startswith(HELD_OUT_NAMES)]
    train = named["train"] or other
    if not train:
        raise UserError(
            f"{place} holds no train*.parquet; say data.root=FOLDER with the shards of the set."
        )
    folders = {str(file.parent) for file in train}
    if len(folders) > 1:
        raise UserError(
            f"Shards lie in several folders ({', '.join(sorted(folders))}); "
            "say data.root=FOLDER with one of them."
        )
    return train, held_out


def _load_split(
    shards: list[Path], columns: tuple[str | None, str | None], form: Form, cache: Path | None
) -> Split:
    files: list[Encoded] = []
    labels: list[int] = []
    for shard in shards:
        shard_files, shard_labels = _read_shard(shard, *columns)
        files += shard_files
        labels += shard_labels
    if not files:
        raise UserError(f"{shards[0]} holds no images; say data.root=FOLDER with filled shards.")
    images = cached(
        cache, lambda: (file.read() for file in files), form, lambda: decode_all(files, form)
    )
    return Split(torch.from_numpy(images), _to_labels(labels, len(files), shards[0]))


def _read_shard(
    shard: Path, image_column: str | None, label_column: str | None
) -> tuple[list[Encoded], list[int]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(shard)
        image = _image_column(file.schema_arrow, image_column, shard)
        label = _label_column(file.schema_arrow, label_column, shard)
        table = file.read(columns=[image] if label is None else [image, label])
    except (pa.ArrowException, OSError) as error:
        raise UserError(
            f"{shard} is no readable parquet file ({error}); delete it and download it again."
        ) from error
    cells = table.column(image).to_pylist()
    labels = [] if label is None else table.column(label).to_pylist()
    return list(_encoded(cells, shard)), labels


def _encoded(cells: Iterable[Any], shard: Path) -> Iterable[Encoded]:
    for row, cell in enumerate(cells):
        content = cell.get("bytes") if isinstance(cell, dict) else cell
        if content is None:
            raise UserError(
                f"Row {row} of {shard} holds no image bytes, perhaps only a path; "
                "write the shards with the images embedded."
            )
        yield Encoded(f"Row {row} of {shard}", lambda content=content: content)  # type: ignore[misc]


def _image_column(schema: Any, wanted: str | None, shard: Path) -> str:
    holders = [field.name for field in schema if _holds_images(field.type)]
    if wanted is None and len(holders) == 1:
        return str(holders[0])
    if wanted in holders:
        return str(wanted)
    missing = f"no image column {wanted!r}" if wanted else f"{len(holders)} image columns"
    way_out = (
        f"say data.image_column={holders[0]}"
        if holders
        else "an image column is a struct {bytes, path} or binary"
    )
    raise UserError(
        f"{shard} has {missing} among its columns {', '.join(schema.names)}; {way_out}."
    )


def _holds_images(kind: Any) -> bool:
    import pyarrow as pa

    if pa.types.is_struct(kind):
        return any(kind.field(at).name == "bytes" for at in range(kind.num_fields))
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind))


def _label_column(schema: Any, wanted: str | None, shard: Path) -> str | None:
    name = wanted or "label"
    if name in schema.names:
        return name
    if wanted is None:
        return None
    raise UserError(
        f"{shard} has no label column {wanted!r} among its columns {', '.join(schema.names)}; "
        "say data.label_column=NAME, or null for an unlabelled set."
    )


def _to_labels(labels: list[int], count: int, shard: Path) -> Tensor | None:
    """int64 [count], or None for an unlabelled split (the hub marks those with -1)."""
    if not labels:
        return None
    if len(labels) != count or not all(type(label) is int for label in labels):
        raise UserError(
            f"The labels beside {shard} are not one whole number an image; "
            "say data.label_column=NAME with a column of class numbers."
        )
    numbers = torch.from_numpy(np.asarray(labels, np.int64))
    return None if bool((numbers < 0).any()) else numbers


def _count_classes(*splits: Split) -> int | None:
    highest = [int(split.labels.max()) for split in splits if split.labels is not None]
    return max(highest) + 1 if highest else None
