"""Differentiable augmentation."""

from collections.abc import Iterator

import torch
from torch import Tensor

from ablate.trick import Gan, Moment, Others, Problem, Recipe, Strength, Trick, flag, like, number

REACH, HOLE = 0.125, 0.5  # shift and side of the hole, as shares of the image


class Diffaug(Trick):
    """D sees real and fake through random augmentations, and G's gradient passes through them.

    D(T(x)) and D(T(G(z))) in both turns, so that the augmentation does not leak into G. color:
    brightness + U(-1/2, 1/2) of half the pixel range, saturation x U(0, 2), contrast x U(1/2, 3/2);
    translation: up to an eighth of the image, filled with 0; cutout: a square of half the side set
    to 0. `strength` scales every range and is one draw a sample and a kind; at 0 images pass
    unchanged. On one channel, saturation does nothing.

    Source: Zhao et al. 2020, arXiv 2006.10738, equations 4-5 and appendix; the authors' code.
    """

    group = "latent, data and augmentation"
    cost = "small"
    neutral = {"strength": 0.0}
    doubts = {
        "consistency": "the same family of transforms acts twice",
        "ada": "the same family of transforms acts twice",
    }

    color: bool = flag()
    translation: bool = flag()
    cutout: bool = flag()
    strength: Strength = number(0, 1)

    def problems(self, others: Others, recipe: Recipe) -> Iterator[Problem]:
        """Refuse points."""
        if recipe.is_toy:
            yield Problem(
                True,
                f"diffaug augments images, and {recipe.data} has points; "
                "drop diffaug or type data=digits.",
            )

    def build(self, gan: Gan) -> None:
        """Take half the width of the pixel range."""
        self.width = 0.5 if gan.recipe.image_range == "sigmoid" else 1.0

    def view(self, x: Tensor, at: Moment) -> Tensor:
        """Return [K, B, C, H, W]."""
        if self.color:
            x = self.coloured(x, at)
        if self.translation:
            for axis in (3, 4):
                x = self.shifted(x, at, axis)
        return x * self.hole(x, at) if self.cutout else x

    def draw(self, x: Tensor, at: Moment, what: str) -> Tensor:
        """Return a uniform number a sample, [K, B, 1, 1, 1]."""
        return at.uniform(f"{self.name}/{what}", x.shape[1])[..., None, None, None]

    def coloured(self, x: Tensor, at: Moment) -> Tensor:
        """Change brightness, saturation and contrast."""
        # (x - mean) (1 + a) + mean, written so that a = 0 leaves every bit alone.
        s = like(self.strength, x)
        x = x + s * self.width * (self.draw(x, at, "brightness") - 0.5)
        x = x + s * (2 * self.draw(x, at, "saturation") - 1) * (x - x.mean(2, keepdim=True))
        contrast = s * (self.draw(x, at, "contrast") - 0.5)
        return x + contrast * (x - x.mean((2, 3, 4), keepdim=True))

    def shifted(self, x: Tensor, at: Moment, axis: int) -> Tensor:
        """Move every image along an axis and fill with 0."""
        n = x.shape[axis]
        most = (like(self.strength, x) * (REACH * n) + 0.5).floor()
        step = (self.draw(x, at, f"shift{axis}") * (2 * most + 1)).floor() - most
        place = along(n, axis, x) - step
        inside = (place >= 0) & (place < n)
        return x.gather(axis, place.clamp(0, n - 1).long().expand_as(x)) * inside

    def hole(self, x: Tensor, at: Moment) -> Tensor:
        """Return false inside a square of every image, true elsewhere, [K, B, 1, H, W]."""
        inside = []
        for axis in (3, 4):
            n = x.shape[axis]
            side = (like(self.strength, x) * (HOLE * n) + 0.5).floor()
            centre = (self.draw(x, at, f"hole{axis}") * (n + 1 - side % 2)).floor()
            place = along(n, axis, x) - (centre - (side / 2).floor())
            inside.append((place >= 0) & (place < side))
        return ~(inside[0] & inside[1])


def along(n: int, axis: int, x: Tensor) -> Tensor:
    """Return 0 .. n - 1 along an axis of images."""
    shape = [1] * 5
    shape[axis] = n
    return torch.arange(n, device=x.device, dtype=x.dtype).view(shape)
