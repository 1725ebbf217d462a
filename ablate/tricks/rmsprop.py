"""RMSprop."""

from ablate.trick import Optimizer, Player, RMSprop, Strength, Trick, choice, number


class Rmsprop(Trick):
    """Players move by RMSprop: an adaptive rate without momentum.

    v <- alpha v + (1 - alpha) gradient^2, theta <- theta - lr gradient / (sqrt v + eps). The usual
    partner of weight_clip, as WGAN's authors saw momentum fail on the critic.

    Source: Tieleman and Hinton 2012, lecture 6.5; Arjovsky et al. 2017, arXiv 1701.07875,
    algorithm 1 and section 4.
    """

    group = "optimiser"
    rank = 1

    nets: str = choice("both", "G", "D")
    lr: Strength = number(0)
    alpha: Strength = number(0, 0.99999)
    eps: Strength = number(0)

    def marks(self) -> frozenset[str]:
        """Return whose optimiser is replaced."""
        players = ("g", "d") if self.nets == "both" else (self.nets.lower(),)
        return frozenset(f"other_optimizer_{player}" for player in players)

    def optimizer(self, optimizer: Optimizer, player: Player) -> Optimizer:
        """Return RMSprop for the players named."""
        if self.nets not in ("both", player):
            return optimizer
        return RMSprop(optimizer.v, 0.0).edit(**self.values)
