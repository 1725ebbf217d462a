"""The batch size."""

from dataclasses import replace

from ablate.trick import Recipe, Trick, integer


class BatchSize(Trick):
    """Every turn is given another number of images.

    The budget counts images shown to D, so that smaller batches buy more rounds: arms are compared
    at equal images seen, and cost is a column of its own. The tutorial and its readers contradict
    each other on 32 against 256, with steps and images confounded. `size` null keeps the run's own.

    Source: comments on the GAN-hacks tutorial (Brownlee 2019); Brock et al. 2019, arXiv 1809.11096,
    section 3 (larger is better, at their scale).
    """

    group = "latent, data and augmentation"
    cost = "proportional, within a round"
    neutral = {"size": None}

    size: int = integer(2, off=0)

    def recipe(self, recipe: Recipe) -> Recipe:
        """Set the batch size."""
        return replace(recipe, batch_size=self.size) if self.size else recipe
