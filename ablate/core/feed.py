"""What every round is given: a moment, latents, and rows of the data, drawn a chunk ahead.

A draw is a pure function of seed and clock, so drawing 8 rounds in one call gives the numbers that
8 calls give, at a fraction of the launches. The buffers keep their addresses: a captured round only
moves the cursor.

Legend: K trials, R rounds in a chunk, B batch, Z latent, N rows of the training split.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from ablate.core.rng import Moment
from ablate.errors import UserError

CHUNK = 16  # rounds; chosen by hand on one CPU


@dataclass
class Cohort:
    """Trials of a stack that began together: they are at one place of their epochs.

    Attributes:
        began: The round of the stack in which they did.
        slots: Theirs.
        where: The same as an index of the trial axis.
        epoch: That `order` belongs to.
        order: Of the training split, [slots, N].
    """

    began: int
    slots: list[int]
    where: slice | Tensor
    epoch: int = -1
    order: Tensor = field(default_factory=lambda: torch.empty(0))


class Feed(nn.Module):
    """Rows, latents and moments of the coming rounds.

    The order of the data is a permutation an epoch and a trial; the last partial batch of an epoch
    is left out, as `drop_last=True` does.
    """

    seed: Tensor
    clock: Tensor
    cursor: Tensor
    z: Tensor
    rows: Tensor
    keys: Tensor

    def __init__(self, seeds: list[int], n: int, batch: int, latent: int, rounds: int) -> None:
        """Allocate for K = len(seeds) trials.

        Raises:
            UserError: The training split is smaller than one batch.
        """
        super().__init__()
        if n < batch:
            raise UserError(
                f"The training split has {n} samples, fewer than one batch of {batch}; "
                f"type train.batch_size={n} or a larger data.fraction."
            )
        k = len(seeds)
        self.n, self.batch, self.latent, self.rounds = n, batch, latent, rounds
        self.epoch_rounds = n // batch
        kind = torch.get_default_dtype()
        self.register_buffer("seed", torch.tensor(seeds, dtype=torch.int64))
        self.register_buffer("clock", torch.zeros(k, dtype=torch.int64))
        for name, shape, dtype in (
            ("cursor", (1,), torch.int64),
            ("z", (CHUNK, k, batch, latent), kind),
            ("rows", (CHUNK, k, batch), torch.int64),
            ("keys", (CHUNK, k), torch.int64),
        ):
            self.register_buffer(name, torch.zeros(shape, dtype=dtype), persistent=False)
        self.left = 0  # rounds of the chunk that are still to be played
        self.played = 0  # rounds, on the host; all trials of a stack play together
        self.began = [0] * k  # the round of the stack in which each trial began
        self.line_up()

    def moment(self, clock: Tensor) -> Moment:
        """Return the moment at int64 clocks [..., K]."""
        return Moment.of(self.seed.expand_as(clock), clock, self.rounds, self.z.dtype)

    @property
    def start(self) -> Moment:
        """The moment before the first round, at which first parameters are drawn."""
        return self.moment(torch.full_like(self.clock, -1))

    def refill(self) -> None:
        """Draw the next chunk, up to the end of a trial's epoch, if the last one is used up."""
        if self.left:
            return
        for cohort in self.cohorts:
            self.shuffle(cohort)
        n = min(CHUNK, *(self.epoch_rounds - self.place(c) for c in self.cohorts))
        clocks = self.clock + torch.arange(n, device=self.clock.device)[:, None]
        at = self.moment(clocks)
        self.keys[:n] = at.key
        self.z[:n] = at.normal("latent", self.batch, self.latent)
        for cohort in self.cohorts:
            first = self.place(cohort) * self.batch
            rows = cohort.order[:, first : first + n * self.batch]
            self.rows[:n, cohort.where] = rows.unflatten(1, (n, self.batch)).transpose(0, 1)
        self.cursor.zero_()
        self.left = n

    def place(self, cohort: Cohort) -> int:
        """Return how many rounds of its epoch a cohort has played."""
        return (self.played - cohort.began) % self.epoch_rounds

    def shuffle(self, cohort: Cohort) -> None:
        """Draw a cohort's order of the data, if an epoch begins for it."""
        epoch = (self.played - cohort.began) // self.epoch_rounds
        if epoch != cohort.epoch:
            # One permutation an epoch, keyed by its number and not by when it was drawn.
            seed = self.seed[cohort.where]
            at = Moment.of(seed, torch.full_like(seed, epoch), self.rounds)
            cohort.epoch, cohort.order = epoch, at.at("data").order("order", self.n)

    def now(self) -> tuple[Moment, Tensor, Tensor]:
        """Return this round's moment, standard normal z [K, B, Z] and rows [K, B]."""
        key, z, rows = (
            table.index_select(0, self.cursor).squeeze(0)
            for table in (self.keys, self.z, self.rows)
        )
        return Moment(key, self.clock, self.rounds, dtype=z.dtype), z, rows

    def advance(self) -> None:
        """Move to the next round; device side."""
        self.cursor.add_(1)
        self.clock.add_(1)

    def count(self) -> None:
        """Move to the next round; host side."""
        self.played += 1
        self.left -= 1

    def begin(self, slots: Sequence[int]) -> None:
        """Let new trials begin in some slots now; their seeds and clocks are in the buffers."""
        for slot in slots:
            self.began[slot] = self.played
        self.line_up()

    def resume(self) -> None:
        """Take the clocks that a checkpoint, or another stack, brought."""
        clocks = self.clock.tolist()
        self.played = max(clocks)
        self.began = [self.played - clock for clock in clocks]
        self.line_up()

    def line_up(self) -> None:
        """Sort trials into cohorts, and forget what was drawn ahead."""
        self.cohorts, self.left = [], 0
        for began in sorted(set(self.began)):
            slots = [slot for slot, b in enumerate(self.began) if b == began]
            alone = len(slots) == len(self.began)
            where = slice(None) if alone else torch.tensor(slots, device=self.clock.device)
            self.cohorts.append(Cohort(began, slots, where))
