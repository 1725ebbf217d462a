"""SGD for D."""

from ablate.trick import SGD, Optimizer, Player, Strength, Trick, number


class SgdD(Trick):
    """D moves by stochastic gradient descent, G stays with Adam.

    v <- momentum v + gradient, theta <- theta - lr v. Rates of SGD and Adam do not compare, so lr
    has a range of its own; so does the scale of the loss, which Adam ignores: the loss is the sum
    of two means. The author of the tutorial and a reader saw no gain from it.

    Source: GAN hacks (Chintala et al. 2016), number 9.
    """

    group = "optimiser"
    rank = 1
    traits = frozenset({"other_optimizer_d"})
    excludes = {"other_optimizer_d": "both replace D's optimiser"}
    doubts = {"ttur": "D's rate becomes a multiple of sgd_d's own, not of G's"}

    lr: Strength = number(0)
    momentum: Strength = number(-0.99, 0.999)

    def optimizer(self, optimizer: Optimizer, player: Player) -> Optimizer:
        """Return SGD for D."""
        return SGD(optimizer.v, 0.0).edit(**self.values) if player == "D" else optimizer
