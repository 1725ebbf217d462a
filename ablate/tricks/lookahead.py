"""Lookahead for both players."""

from torch import Tensor

from ablate.trick import Gan, Round, Step, Strength, Trick, integer, number


class Lookahead(Trick):
    """Every few rounds both players step back towards where they last stopped.

    slow <- slow + alpha (fast - slow), fast <- slow, for G and D together, after every `every`
    turns of G (with n_critic, every `every` of its cycles); moments of the optimisers go on.
    Rotation around an equilibrium is cut short by it. ema_g averages the fast generators.

    Source: Chavdarova et al. 2021, arXiv 2006.14567, algorithm 1; Zhang et al. 2019, arXiv
    1907.08610.
    """

    group = "optimiser"
    rank = 9  # the last to mark turns, and the last to write after a move
    cost = "one copy of each player"
    neutral = {"alpha": 1.0}

    every: int = integer(1)
    alpha: Strength = number(0, 1)
    slow_g: Tensor
    slow_d: Tensor

    def build(self, gan: Gan) -> None:
        """Start at the first point."""
        self.register_buffer("slow_g", gan.G.theta.clone())
        self.register_buffer("slow_d", gan.D.theta.clone())

    def phases(self, rounds: list[Round]) -> list[Round]:
        """Mark the last turn of every `every` cycles."""
        *before, last = rounds * self.every
        *stages, stage = last
        marked = stage[-1]._replace(due=stage[-1].due | {self.name})
        return [*before, (*stages, (*stage[:-1], marked))]

    def settle(self, step: Step) -> None:
        """Step back, both players at once."""
        if self.name not in step.turn.due:
            return
        gan = step.gan
        for slow, fast in ((self.slow_g, gan.G.theta), (self.slow_d, gan.D.theta)):
            fast.copy_(slow.lerp_(fast, self.alpha[:, None]))
