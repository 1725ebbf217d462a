"""The relativistic paired loss."""

from collections.abc import Callable

from torch import Tensor
from torch.nn.functional import softplus

from ablate.trick import Step, Trick, choice

FORMS: dict[str, Callable[[Tensor], Tensor]] = {
    "logistic": lambda u: softplus(-u),
    "hinge": lambda u: (1 - u).relu(),
    "ls": lambda u: (u - 1).square(),
}


class LossRpgan(Trick):
    """D scores a real image above a fake one, pair by pair; G turns every pair around.

    E phi(r_i - f_i) for D, E phi(f_i - r_i) for G, paired by index, phi(u) = sp(-u), relu(1 - u) or
    (u - 1)^2 (`form`). G's turn asks for D's scores of the real batch, which is one more pass. Only
    differences matter: the zero level of the logits is arbitrary, and there is no target to smooth
    or to flip. R3GAN finds that it needs r1 and r2 together to converge.

    Source: Jolicoeur-Martineau 2018, arXiv 1807.00734, algorithm 1; Huang et al. 2025 (R3GAN),
    arXiv 2501.05441, section 2.
    """

    group = "adversarial loss"
    cost = "one more pass through D in G's turn"
    traits = frozenset({"adversary_loss"})
    doubts = {"batch_norm": "R3GAN reports batch norm as incompatible with relativistic pairing"}

    form: str = choice("logistic", "hinge", "ls")

    def adversary(self, step: Step) -> Tensor:
        """Return [K, U]."""
        lead = step.real.logits - step.fake.logits
        return FORMS[self.form](lead if step.player == "D" else -lead)
