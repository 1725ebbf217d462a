"""Augmentation of the data set."""

from collections.abc import Iterator

import torch
from torch import Tensor

from ablate.trick import Moment, Others, Problem, Recipe, Strength, Trick, integer, number


class DatasetAug(Trick):
    """Real images are flipped and shifted before D sees them; fakes are not.

    Every real image is mirrored with probability `flip` and moved by whole pixels, each direction
    uniform in -shift .. shift, edges repeated. This enlarges the data set and by that changes the
    distribution that G learns: it will draw shifted and mirrored images too. What augments real and
    fake alike, and does not leak, is `diffaug`. A loss that asks for reals in G's turn gets plain
    ones.

    Source: "data augmentation" of common GAN tutorials; the leak is analysed in Karras et al. 2020,
    arXiv 2006.06676, section 2, and Zhao et al. 2020, arXiv 2006.10738, section 3.1.
    """

    group = "latent, data and augmentation"
    rank = -2  # acts on the data, before samples are swapped or replayed
    neutral = {"flip": 0.0, "shift": 0}

    flip: Strength = number(0, 1)
    shift: int = integer(0)

    def problems(self, others: Others, recipe: Recipe) -> Iterator[Problem]:
        """Refuse points; doubt mirrored digits."""
        if recipe.is_toy:
            yield Problem(
                True,
                f"dataset_aug flips and shifts images, and {recipe.data} has points; "
                "drop dataset_aug or type data=digits.",
            )
        digits = recipe.data.endswith(("digits", "mnist")) and "fashion" not in recipe.data
        if digits and bool((self.flip > 0).any()):
            yield Problem(
                False,
                f"dataset_aug with flip on {recipe.data}: a mirrored digit is no digit; "
                "type trick.dataset_aug.flip=0.",
            )

    def sides(self, real: Tensor, fake: Tensor, at: Moment) -> tuple[Tensor, Tensor]:
        """Return [K, B, C, H, W] each."""
        batch, reach = real.shape[1], 2 * self.shift + 1
        mirrored = at.bernoulli(f"{self.name}/flip", self.flip, batch)
        real = torch.where(mirrored[..., None, None, None], real.flip(4), real)
        for axis in (3, 4) if self.shift else ():
            step = at.below(f"{self.name}/{axis}", reach, batch) - self.shift
            real = moved(real, step, axis)
        return real, fake


def moved(x: Tensor, step: Tensor, axis: int) -> Tensor:
    """Return images [K, B, C, H, W] moved by `step` [K, B] pixels along an axis."""
    n = x.shape[axis]
    place = (torch.arange(n, device=x.device) - step[..., None]).clamp(0, n - 1)  # [K, B, n]
    shape = [*x.shape[:2], 1, 1, 1]
    shape[axis] = n
    return x.gather(axis, place.view(shape).expand_as(x))
