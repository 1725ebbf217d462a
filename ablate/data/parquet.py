"""`parquet`: image sets as the Hugging Face hub ships them.

A column holds {bytes, path} with an encoded image in `bytes`, or the bytes alone, or rows of
pixels; another may hold the label. Shards are named train-00000-of-00002.parquet, test-..., or lie
in folders called so.
"""

from pathlib import Path

import torch

from ablate.data.columns import labels_of, read_shard
from ablate.data.dataset import Dataset, Split
from ablate.data.decode import Form
from ablate.data.layout import Layout, layout
from ablate.data.option import switch
from ablate.data.pictures import read_pictures
from ablate.data.reading import Reading
from ablate.data.root import find_root, title_of
from ablate.data.split import in_halves
from ablate.errors import UserError


def parquet(  # noqa: PLR0913 -- one a key of its yaml
    root: str | Path | None,
    cache: Path | None = None,
    *,
    image_column: str | None = None,
    label_column: str | None = "auto",
    size: int | None = None,
    channels: int = 3,
    title: str | None = None,
    background: str | int = "white",
    skip_unreadable: bool = False,
) -> Dataset:
    """All images of the train shards and of the test shards.

    Args:
        root: Folder of the shards, or one file.
        cache: Where decoded images are kept; None keeps none.
        image_column: None takes the only column of images.
        label_column: "auto" takes `label` where there is one; None does without labels.
        size: Resize the short side and cut out the centre; None needs images of one size.
        channels: 1 or 3.
        title: What tables call the set; None takes the name of the folder.
        background: What lies behind transparent pixels.
        skip_unreadable: Whether damaged images are left out.

    Raises:
        UserError: No shards, no such column, ids for labels, or a damaged image.
    """
    place, form = find_root(root, "parquet"), Form(size, channels, background)
    skip = switch("skip_unreadable", skip_unreadable)
    files, plan = _shards(place)
    train, held_out = (
        [read_shard(files[at], image_column, label_column) for at in half]
        for half in (plan.train, plan.held_out)
    )
    encoded = [file for shard in (*train, *held_out) for file in shard.files]
    count = sum(len(shard.files) for shard in train)
    if not count:
        raise UserError(f"{place} holds no images; say data.root=FOLDER with filled shards.")
    (first, second), classes, labelled = labels_of(train, held_out)
    images, kept, read = read_pictures(encoded, form, cache, skip)
    pictures, used = torch.from_numpy(images), torch.from_numpy(kept)
    border, name = int(used[:count].sum()), title_of(title, place)
    whole = Split(pictures[:border], None if first is None else first[used[:count]])
    rest = Split(pictures[border:], None if second is None else second[used[count:]])
    splits = in_halves(whole, rest if held_out else None, name)
    columns = sum((shard.reading for shard in (*train, *held_out)), Reading())
    reading = sum((columns, labelled, *splits[2:], read), plan.reading)
    return Dataset(name, *splits[:2], classes, reading=reading)


def _shards(place: Path) -> tuple[list[Path], Layout]:
    """All Parquet files, and which of them are for what.

    Raises:
        UserError: None is for training, or they belong to several sets.
    """
    if place.is_file():
        return [place], Layout([(place.name,)], [0], [], Reading())
    files = [
        file
        for file in sorted(place.rglob("*"))
        if file.suffix.lower() in (".parquet", ".pq")
        and not any(part.startswith(".") for part in file.relative_to(place).parts)
    ]
    plan = layout([file.relative_to(place).parts for file in files], place, shards=True)
    for half in (plan.train, plan.held_out):
        folders = {plan.parts[at][:-1]: str(files[at].parent) for at in half}
        if len(folders) > 1:
            raise UserError(
                f"Shards lie in several folders ({', '.join(sorted(folders.values()))}); "
                "say data.root=FOLDER with one of them."
            )
    return files, plan
