"""The relativistic average loss."""

from collections.abc import Callable

from torch import Tensor
from torch.nn.functional import softplus

from ablate.trick import Step, Trick, choice

FORMS: dict[str, Callable[[Tensor], Tensor]] = {
    "logistic": lambda u: softplus(-u),
    "hinge": lambda u: (1 - u).relu(),
    "ls": lambda u: (u - 1).square(),
}


class LossRagan(Trick):
    """D scores a real image above the average fake one and a fake below the average real one.

    r' = r - E f, f' = f - E r: (E phi(r') + E phi(-f')) / 2 for D, (E phi(-r') + E phi(f')) / 2 for
    G, phi(u) = sp(-u), relu(1 - u) or (u - 1)^2 (`form`). The gradient flows through the averages,
    and through the real scores as well as the fake ones in G's turn, which is one more pass. Only
    differences matter: the zero level of the logits is arbitrary, and there is no target to smooth
    or to flip.

    Source: Jolicoeur-Martineau 2018, arXiv 1807.00734, algorithm 2.
    """

    group = "adversarial loss"
    cost = "one more pass through D in G's turn"
    traits = frozenset({"adversary_loss"})

    form: str = choice("logistic", "hinge", "ls")

    def adversary(self, step: Step) -> Tensor:
        """Return [K, U]."""
        r, f = step.real.logits, step.fake.logits
        real, fake = r - f.mean(1, keepdim=True), f - r.mean(1, keepdim=True)
        phi, sign = FORMS[self.form], 1 if step.player == "D" else -1
        return (phi(sign * real) + phi(-sign * fake)) / 2
