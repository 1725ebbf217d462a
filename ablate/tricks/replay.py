"""Replay of past fakes."""

import torch
from torch import Tensor

from ablate.trick import Gan, Moment, Step, Strength, Trick, integer, number


class Replay(Trick):
    """A share of D's fake batch comes from a buffer of fakes that earlier generators made.

    The first `share` of the batch is replaced by images drawn from the buffer, with replacement.
    After D's move the first half of the batch goes in: at the end until the buffer is full, then
    over a run of rows that starts anywhere, so that an image stays for a geometric time. The paper
    fills half of every batch and draws single rows. Replayed fakes are D's alone; G's turn is about
    what G makes now. Earlier copies of the networks themselves, which GAN hacks also names, are not
    kept.

    Source: Shrivastava et al. 2017, arXiv 1612.07828, section 2.3; GAN hacks (Chintala et al.
    2016), number 8.
    """

    group = "latent, data and augmentation"
    rank = -1  # before samples are swapped between the sides
    cost = "memory for `size` images a trial"
    neutral = {"share": 0.0}

    share: Strength = number(0, 1)
    size: int = integer(1)
    pool: Tensor
    filled: Tensor

    def build(self, gan: Gan) -> None:
        """Allocate the buffer [K, size, C, H, W]."""
        theta = gan.G.theta
        self.register_buffer("pool", theta.new_zeros(len(theta), self.size, *gan.recipe.shape))
        self.register_buffer("filled", torch.zeros_like(gan.feed.clock))

    def sides(self, real: Tensor, fake: Tensor, at: Moment) -> tuple[Tensor, Tensor]:
        """Return real as it is and fake with its first samples replaced."""
        k, batch = fake.shape[:2]
        filled = self.filled[:, None]
        rows = (at.uniform(self.name, batch) * filled).long().minimum((filled - 1).clamp(min=0))
        old = self.pool.gather(1, wide(rows, fake))
        replaced = torch.arange(batch, device=fake.device) < self.share[:, None] * batch
        replaced = (replaced & (filled > 0)).view(k, batch, *(1 for _ in fake.shape[2:]))
        return real, torch.where(replaced, old, fake)

    def settle(self, step: Step) -> None:
        """Put half of the fakes into the buffer, once a batch."""
        if step.player == "G" or "fake" not in step.turn.sides:
            return
        n = min(max(step.batch.fake.shape[1] // 2, 1), self.size)
        fresh = step.batch.fake.detach()[:, :n]
        anywhere = step.at.below(f"{self.name}/slot", self.size, 1)[:, 0]
        first = torch.where(self.filled < self.size, self.filled, anywhere)
        rows = (first[:, None] + torch.arange(n, device=first.device)) % self.size
        self.pool.scatter_(1, wide(rows, fresh), fresh)
        self.filled.add_(n).clamp_(max=self.size)


def wide(rows: Tensor, x: Tensor) -> Tensor:
    """Return rows [K, n] as an index into images, [K, n, C, H, W]."""
    return rows.view(*rows.shape, *(1 for _ in x.shape[2:])).expand(*rows.shape, *x.shape[2:])
