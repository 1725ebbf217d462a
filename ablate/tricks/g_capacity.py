"""The size of G."""

from dataclasses import replace

from ablate.trick import Recipe, Trick, factor, integer


class GCapacity(Trick):
    """The generator is wider or deeper by a factor of its channels and a number of layers.

    Channels of every layer times `width`, rounded; `depth` layers more, or fewer where negative.
    What a layer more is belongs to the model: a convolution at the smallest resolution (dcgan), a
    hidden layer (mlp), a block (resnet). The players are one balance: an effect of G alone says
    little about both, so cross it with d_capacity.

    Source: Brock et al. 2019, arXiv 1809.11096, section 3; Metz et al. 2016, arXiv 1611.02163.
    """

    group = "architecture"
    neutral = {"width": 1.0, "depth": 0}
    cost = "with its size"

    width: float = factor(0.0625, 16)
    depth: int = integer(-8, 16)

    def recipe(self, recipe: Recipe) -> Recipe:
        """Scale the channels of G and add to its depth."""
        width = {**recipe.width, "G": recipe.width["G"] * self.width}
        depth = {**recipe.depth, "G": recipe.depth["G"] + self.depth}
        return replace(recipe, width=width, depth=depth)
