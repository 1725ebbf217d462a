"""Two time-scales."""

from ablate.trick import Optimizer, Player, Strength, Trick, number


class Ttur(Trick):
    """D's learning rate is a multiple of G's.

    lr_D = ratio lr_G. More is not always better: the authors' own list has 3 (WGAN-GP on CIFAR-10)
    and 0.2 (DCGAN on CIFAR-10). Partly the same lever as n_critic: compare at equal turns of D.

    Source: Heusel et al. 2017, arXiv 1706.08500, section 2; 4 to 1 of Zhang et al. 2018, arXiv
    1805.08318, section 4.
    """

    group = "optimiser"
    rank = 2  # after the trick that sets the rate
    neutral = {"ratio": 1.0}
    cheap = True

    ratio: Strength = number(0)

    def optimizer(self, optimizer: Optimizer, player: Player) -> Optimizer:
        """Multiply D's rate."""
        if player == "G":
            return optimizer
        return optimizer.edit(lr=optimizer.lr * optimizer.lr.new_tensor(self.values["ratio"]))
