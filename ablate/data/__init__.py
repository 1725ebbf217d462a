"""Data sets as resident tensors: `load` one by name, `fetch` the public ones."""

from dataclasses import replace
from pathlib import Path

from ablate.data.catalogue import SETS, whole
from ablate.data.dataset import Dataset, Mixture, Split
from ablate.data.doubts import doubts
from ablate.data.fetch import fetch
from ablate.data.reading import Reading
from ablate.data.split import subset

__all__ = ["SETS", "Dataset", "Mixture", "Split", "fetch", "load"]


def load(
    name: str,
    root: str | Path | None = None,
    fraction: float = 1.0,
    cache: str | Path | None = None,
    **options: object,
) -> Dataset:
    """Load a data set; the same arguments give the same tensors on every machine.

    Args:
        name: A name in `SETS`, as in conf/data.
        root: File or folder of the set, or a folder of many sets; digits and toys need none.
        fraction: Share of the training split, in (0, 1]; smaller shares lie in larger ones.
            The held-out split stays whole.
        cache: Folder in which decoded images are kept; None keeps none.
        **options: The other keys of conf/data/<name>.yaml.

    Raises:
        UserError: The sentence says what to type instead.
    """
    folder = None if cache is None else Path(cache).expanduser()
    dataset = whole(name, root, folder, options)
    train = subset(dataset.train, fraction)
    notes = (
        ()
        if fraction == 1
        else (f"data.fraction={fraction:g} of {len(dataset.train):,} training images",)
    )
    reading = dataset.reading + Reading(notes=notes) + doubts(dataset)
    return replace(dataset, train=train, reading=reading)
