"""`image_folder`: the user's own images, in a folder or a zip; sub-folders are labels.

root/cat/1.png, root/dog/2.png               labelled; the held-out split is our fixed choice
root/train/cat/1.png, root/test/cat/2.png    labelled, with the user's own held-out split
root/1.png, root/2.png                       unlabelled
"""

from collections.abc import Sequence
from itertools import takewhile
from pathlib import Path

import torch

from ablate.data.dataset import Dataset, Split
from ablate.data.decode import Form
from ablate.data.labels import classes_of, refuse_ids
from ablate.data.layout import Parts, layout
from ablate.data.listing import list_images
from ablate.data.option import switch
from ablate.data.pictures import read_pictures
from ablate.data.root import find_root, title_of
from ablate.data.split import in_halves
from ablate.errors import UserError


def image_folder(
    root: str | Path | None,
    cache: Path | None = None,
    size: int | None = None,
    channels: int = 3,
    title: str | None = None,
    background: str | int = "white",
    skip_unreadable: bool = False,
) -> Dataset:
    """All images below `root`, in the order of their names.

    Args:
        root: Folder or zip.
        cache: Where decoded images are kept; None keeps none.
        size: Resize the short side and cut out the centre; None needs images of one size.
        channels: 1 or 3.
        title: What tables call the set; None takes the name of the folder.
        background: What lies behind transparent pixels.
        skip_unreadable: Whether damaged files are left out.

    Raises:
        UserError: No images, images of several sizes, damaged ones, or splits in doubt.
    """
    place, form = find_root(root, "image_folder"), Form(size, channels, background)
    found, listed = list_images(place)
    plan = layout([file.parts for file in found], place, shards=False)
    used = [*plan.train, *plan.held_out]
    parts = _without_common_folder([plan.parts[at] for at in used])
    labels, classes = _labels(parts, place)
    files = [found[at].encoded for at in used]
    images, kept, read = read_pictures(
        files, form, cache, switch("skip_unreadable", skip_unreadable)
    )
    labels = None if labels is None else labels[torch.from_numpy(kept)]
    whole, count = Split(torch.from_numpy(images), labels), int(kept[: len(plan.train)].sum())
    held_out = whole.part(slice(count, None)) if plan.held_out else None
    name = title_of(title, place)
    first, second, cut = in_halves(whole.part(slice(count)), held_out, name)
    return Dataset(name, first, second, classes, reading=listed + plan.reading + cut + read)


def _without_common_folder(parts: Sequence[Parts]) -> list[Parts]:
    """Drop leading folders that all images share: a zip often holds one folder with everything."""
    levels = zip(*(each[:-1] for each in parts), strict=False)
    depth = len(list(takewhile(lambda names: len(set(names)) == 1, levels)))
    return [each[depth:] for each in parts]


def _labels(parts: Sequence[Parts], place: Path) -> tuple[torch.Tensor | None, int | None]:
    """int64 [N] of the label folders in the order of their names; None where there are none."""
    loose = [each for each in parts if len(each) == 1]
    if len(loose) == len(parts):
        return None, None
    if loose:
        raise UserError(
            f"Some images in {place} lie in label folders but {loose[0][0]} does not; "
            "move all images into label folders, or none."
        )
    numbers, names = classes_of([each[0] for each in parts])
    way_out = "move the images into one folder, or into one a class"
    refuse_ids(len(names), len(parts), f"{place}, read as label folders,", way_out)
    return torch.from_numpy(numbers), len(names)
