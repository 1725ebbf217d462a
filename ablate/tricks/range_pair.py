"""The range of pixels."""

from collections.abc import Iterator
from dataclasses import replace

from ablate.trick import Others, Problem, Recipe, Trick, choice


class RangePair(Trick):
    """The scaling of real pixels and G's last function, changed together as one pair.

    tanh: x / 127.5 - 1 with tanh. sigmoid: x / 255 with the logistic function. linear:
    standardised by the mean and standard deviation of the training split, and no last function.
    Tutorials differ in the pair (sigmoid with [0, 1], tanh with [-1, 1]); mixing the halves of two
    pairs puts part of the data out of G's reach, and cannot be asked for here.

    Source: GAN hacks (Chintala et al. 2016), number 1; linear: Huang et al. 2024, arXiv 2501.05441.
    """

    group = "architecture"
    neutral = {"kind": "tanh"}

    kind: str = choice("tanh", "sigmoid", "linear")

    def problems(self, others: Others, recipe: Recipe) -> Iterator[Problem]:
        """Refuse points, which are never scaled."""
        if recipe.is_toy:
            yield Problem(
                True, f"range_pair scales pixels and {recipe.data} holds points; drop range_pair."
            )

    def recipe(self, recipe: Recipe) -> Recipe:
        """Set both halves."""
        return replace(recipe, image_range=self.kind)
