"""Numbers that need only how often each mode or class was generated.

Legend: M modes.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from ablate.metrics.estimate import Estimate, jackknife_sd


def histogram(modes: Tensor, size: int) -> Tensor:
    """How often each of `size` modes stands in modes [..., N] -> [..., M], float64.

    Not bincount, which makes the host wait for the largest mode.
    """
    counts = torch.zeros(*modes.shape[:-1], size, dtype=torch.float64, device=modes.device)
    return counts.scatter_add_(-1, modes, counts.new_ones(()).expand(modes.shape))


def entropy(counts: Tensor) -> Tensor:
    """Entropy of the histogram [..., M] in nats, plug-in -> [...]."""
    share = counts / counts.sum(-1, keepdim=True)
    return -torch.xlogy(share, share).sum(-1)


def modes_covered(counts: Tensor) -> Tensor:
    """Modes with at least one sample [..., M] -> [...].

    Metz et al. 2016, arXiv:1611.02163, section 3.3.1; Srivastava et al. 2017 (VEEGAN),
    arXiv:1705.07761, section 4; Lin et al. 2018 (PacGAN), arXiv:1712.04086, section 4.
    """
    return (counts > 0).double().sum(-1)


def reverse_kl(counts: Tensor, reference: Tensor) -> Tensor:
    """KL(generated || reference) of mode histograms in nats, [..., M] -> [...].

    Metz et al. 2016, arXiv:1611.02163, section 3.3.1; Lin et al. 2018, arXiv:1712.04086, section
    4.2. Plug-in: even a perfect generator shows about (M - 1) / 2N, so N is part of the protocol.

    Args:
        counts: generated.
        reference: [M], real; a mode that never occurs counts as half a sample, so that generating
            it costs a finite amount.
    """
    share = counts / counts.sum(-1, keepdim=True)
    real = torch.where(reference > 0, reference, 0.5)
    real = real / real.sum()
    return (torch.xlogy(share, share) - share * real.log()).sum(-1)


def histogram_estimate(statistic: Callable[[Tensor], Tensor], counts: Tensor) -> Estimate:
    """A statistic of counts [..., M] with its spread.

    Samples of one mode are alike, so M cases do; those of modes that never occur weigh nothing.
    """
    one = torch.eye(counts.shape[-1], dtype=counts.dtype, device=counts.device)
    without = (counts.unsqueeze(-2) - one).clamp(min=0)  # [..., M, M]
    return Estimate(statistic(counts), jackknife_sd(statistic(without), counts))
