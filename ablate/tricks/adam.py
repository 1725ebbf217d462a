"""Adam's numbers."""

from collections.abc import Iterator

from ablate.trick import Optimizer, Others, Player, Problem, Recipe, Strength, Trick, number


class Adam(Trick):
    """Both players move by Adam with these numbers, each with moments of its own.

    One optimiser for both players, as in a widespread tutorial's code, would mix their moments and
    is not offered. The baseline is DCGAN's 2e-4 and (0.5, 0.999); WGAN-GP and SNGAN's residual
    networks take beta1 0, beta2 0.9. A negative beta1 is negative momentum (Gidel et al. 2019,
    arXiv 1807.04740).

    Source: Kingma and Ba 2015, arXiv 1412.6980, algorithm 1; numbers of Radford et al. 2015, arXiv
    1511.06434, section 4.
    """

    group = "optimiser"
    neutral = {"lr": 2.0e-4, "beta1": 0.5, "beta2": 0.999, "eps": 1.0e-8}
    cheap = True

    lr: Strength = number(0)
    beta1: Strength = number(-0.99, 0.999)
    beta2: Strength = number(0, 0.99999)
    eps: Strength = number(0)

    def problems(self, others: Others, recipe: Recipe) -> Iterator[Problem]:
        """Refuse numbers that no player would use."""
        marks = others.marks()
        if "other_optimizer_d" in marks and "other_optimizer_g" in marks:
            names = sorted({*marks["other_optimizer_d"], *marks["other_optimizer_g"]})
            yield Problem(
                True,
                f"Trick adam sets numbers that no player uses beside {', '.join(names)}; "
                "drop adam or let the other act on one player only.",
            )

    def optimizer(self, optimizer: Optimizer, player: Player) -> Optimizer:
        """Return the player's Adam with these numbers."""
        return optimizer.edit(**self.values)
