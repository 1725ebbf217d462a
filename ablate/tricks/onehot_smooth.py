"""An auxiliary class head with smoothed one-hot targets."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from ablate.trick import (
    Linear,
    Moment,
    Network,
    Others,
    Player,
    Problem,
    Recipe,
    Step,
    Strength,
    Trick,
    Weights,
    like,
    number,
)


class OnehotSmooth(Trick):
    """D also classifies real images, and the one-hot targets of its classes are smoothed.

    strength * E -sum_c t_c log softmax(W phi(x) + v)_c in D's turn, phi what D's last layer is
    given and t = (1 - epsilon) onehot + epsilon / C over C classes, which sums to 1 (the example
    that a reader of the tutorial gives, [1.3, 0.2, 0.14, 0.19], sums to 1.83). The head stands
    beside the score, as in AC-GAN, with no class for fakes and no term for G, which draws without
    classes. At strength 0 all other parameters move as in the baseline, bit for bit.

    Source: Szegedy et al. 2015, arXiv 1512.00567, section 7; the head: Odena et al. 2016, arXiv
    1610.09585, section 3.
    """

    group = "labels"
    rank = 90  # the head is sized after every other surgery
    excludes = {"packing": "a pack has several classes and one row of features"}
    doubts = {
        "swapped_samples": "a fake in the real batch keeps the class of the image it replaced"
    }

    strength: Strength = number(0)
    epsilon: Strength = number(0, 1)
    classes: int = 0  # of the data, known with the recipe

    def problems(self, others: Others, recipe: Recipe) -> Iterator[Problem]:
        """Refuse data without labels."""
        if recipe.classes is None:
            yield Problem(
                True,
                f"Trick onehot_smooth needs class labels and {recipe.data} has none; choose "
                "labelled data, for example data=digits, or drop onehot_smooth.",
            )

    def recipe(self, recipe: Recipe) -> Recipe:
        """Take note of the classes."""
        self.classes = recipe.classes or 0
        return recipe

    def network(self, layers: Network, player: Player) -> Network:
        """Put the head beside D's score."""
        if player == "G":
            return layers
        # What D's features are is the net's own rule: the input of the last layer with parameters.
        last = max(i for i, x in enumerate(layers) if any(leaf.shapes() for leaf in x.leaves()))
        first = next(leaf for leaf in layers[last].leaves() if leaf.shapes())
        head = ClassHead(self.name, first.fan_in(), self.classes)
        return [*layers[:last], head, *layers[last:]]

    def penalty(self, step: Step) -> Tensor | None:
        """Return [K]; in D's turns that see real images."""
        if step.player == "G" or "real" not in step.turn.sides:
            return None
        head = next(x for x in step.gan.D.leaves if isinstance(x, ClassHead))
        scores = head.classify(step.real.features, step.weights, step.at)
        log = scores.to(step.own.dtype).log_softmax(2)  # [K, B, C]
        labels = step.gan.pixels.labels[step.rows]
        onehot = (labels[..., None] == torch.arange(self.classes, device=labels.device)).to(
            log.dtype
        )
        epsilon = like(self.epsilon, log)
        target = (1 - epsilon) * onehot + epsilon / self.classes
        return -self.strength * (target * log).sum(2).mean(1)


@dataclass(frozen=True)
class ClassHead(Linear):
    """A linear layer that the chain of layers passes by and that is asked by name."""

    def __call__(self, x: Tensor, weights: Weights, at: Moment) -> Tensor:
        """Return x as it is."""
        return x

    def classify(self, x: Tensor, weights: Weights, at: Moment) -> Tensor:
        """Return the scores [K, B, C] of features [K, B, ...]."""
        return super().__call__(x, weights, at)
