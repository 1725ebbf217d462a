"""The names a user can write, and the function behind each."""

import difflib
import inspect
from collections.abc import Callable, Mapping
from pathlib import Path

from ablate.data.cifar10 import cifar10
from ablate.data.dataset import Dataset
from ablate.data.digits import digits
from ablate.data.idx import fashion_mnist, mnist
from ablate.data.image_folder import image_folder
from ablate.data.npy import npy
from ablate.data.parquet import parquet
from ablate.data.stacked import stack
from ablate.data.toys import grid25, point, ring8
from ablate.errors import UserError


def stacked(
    root: str | Path | None = None,
    cache: Path | None = None,
    of: str = "digits",
    samples: int = 128_000,
    held_out_samples: int = 26_000,
    **options: object,
) -> Dataset:
    """Three grey images of the set `of` as one colour image; see `ablate.data.stacked`."""
    return stack(whole(of, root, cache, options), samples, held_out_samples)


SETS: dict[str, Callable[..., Dataset]] = {
    loader.__name__: loader
    for loader in (
        digits, mnist, fashion_mnist, cifar10, parquet, image_folder, npy,
        ring8, grid25, point, stacked,
    )
}  # fmt: skip


def whole(
    name: str, root: str | Path | None, cache: Path | None, options: Mapping[str, object]
) -> Dataset:
    """The set `name` with all its training samples.

    Args:
        name: A key of `SETS`.
        root: Where its files are; sets without files do not look at it.
        cache: Where decoded images are kept.
        options: Arguments of its function.

    Raises:
        UserError: An unknown name or option, or files that cannot be used.
    """
    if name not in SETS:
        nearest = difflib.get_close_matches(str(name), SETS, n=1, cutoff=0)[0]
        raise UserError(
            f"There is no data set {name!r}; did you mean data={nearest}? "
            f"The names are {', '.join(sorted(SETS))}."
        )
    taken = inspect.signature(SETS[name]).parameters
    places = {key: value for key, value in (("root", root), ("cache", cache)) if key in taken}
    _check_options(name, options, taken)
    return SETS[name](**places, **options)


def _check_options(
    name: str, options: Mapping[str, object], taken: Mapping[str, inspect.Parameter]
) -> None:
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in taken.values()):
        return
    known = sorted(set(taken) - {"root", "cache"})
    for option in options:
        if option not in known:
            raise UserError(
                f"Data set {name!r} has no option data.{option}; "
                f"remove it ({name} takes {', '.join(known) or 'none'})."
            )
