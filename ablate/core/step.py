"""The training step: it plays the seams and knows no trick by name.

Every tensor carries the trials in front. Losses and penalties reduce over the batch and keep K; the
sum over K is taken just before the gradient, so row k of it is trial k's own and nobody else's.

Legend: K trials, B batch, U units that D scores (B, or B / m packs), Z latent, C H W image,
P parameters, F features, N samples.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ablate.core.feed import Feed
from ablate.core.layers import Layer, Network, Weights
from ablate.core.net import Net, Output
from ablate.core.optim import Adam, Optimizer
from ablate.core.pixels import Pixels
from ablate.core.recipe import Player, Recipe
from ablate.core.rng import Moment
from ablate.core.signals import Signals
from ablate.core.turn import TEXTBOOK, Round, Turn

T = TypeVar("T")
Build = Callable[[Player, Recipe], Network]
bce = F.binary_cross_entropy_with_logits


EXACT = nullcontext()


class once(Generic[T]):  # reads as the decorator that it is
    """A property that is made when first asked for, and kept.

    functools.cached_property takes a lock before Python 3.12: it costs time and cannot be traced.
    """

    def __init__(self, make: Callable[[Any], T]) -> None:
        self.make, self.name = make, make.__name__

    def __get__(self, owner: Any, kind: type | None = None) -> T:
        value = self.make(owner)
        setattr(owner, self.name, value)  # found before the property from now on
        return value


class Batch(NamedTuple):
    """What the turns of a round share."""

    at: Moment
    real: Tensor  # [K, B, C, H, W]
    rows: Tensor  # [K, B], into the training split
    z: Tensor  # [K, B, Z]
    leaf: Tensor  # [K, P], G's theta as the leaf of `fake`'s graph
    fake: Tensor  # [K, B, C, H, W]


class Seams(Protocol):
    """A set of tricks, as a step plays it; `ablate.trick.Trick` says what each seam is."""

    def plays(self, seam: str) -> bool:
        """Return whether anything edits a seam."""

    def network(self, layers: Network, player: Player) -> Network:
        """Edit a player's layers."""

    def init(self, first: Tensor, layer: Layer, part: str, at: Moment) -> Tensor:
        """Edit the first values of a part of a layer."""

    def optimizer(self, optimizer: Optimizer, player: Player) -> Optimizer:
        """Edit a player's optimiser."""

    def phases(self, rounds: list[Round]) -> list[Round]:
        """Edit the schedule."""

    def build(self, gan: Gan) -> None:
        """Allocate memory."""

    def weight(self, weight: Tensor, player: Player, layer: Layer) -> Tensor:
        """Edit a kernel."""

    def latent(self, z: Tensor, at: Moment) -> Tensor:
        """Edit latents."""

    def sides(self, real: Tensor, fake: Tensor, at: Moment) -> tuple[Tensor, Tensor]:
        """Edit what D's turn is given."""

    def view(self, x: Tensor, at: Moment) -> Tensor:
        """Edit what D is shown."""

    def target(self, target: Tensor, side: Side, at: Moment) -> Tensor:
        """Edit labels."""

    def adversary(self, step: Step) -> Tensor | None:
        """Return a loss in place of the textbook's, or None."""

    def weigh(self, loss: Tensor, step: Step) -> Tensor:
        """Weight the units of a loss."""

    def penalty(self, step: Step) -> Tensor | None:
        """Return a term that is added to the loss, or None."""

    def gate(self, step: Step) -> Tensor | None:
        """Return which trials move, or None for all."""

    def gradient(self, gradient: Tensor, step: Step) -> Tensor:
        """Edit a gradient."""

    def point(self, own: Tensor, rival: Tensor, step: Step) -> tuple[Tensor, Tensor]:
        """Edit where the gradient is taken."""

    def settle(self, step: Step) -> None:
        """Write memory."""

    def sampler(self, generators: dict[str, Tensor], gan: Gan) -> dict[str, Tensor]:
        """Edit which generators are scored."""


class Gan(nn.Module):
    """K generative adversarial networks that differ in seed and in numbers, and their step."""

    def __init__(
        self,
        tricks: Seams,
        build: Build,
        feed: Feed,
        pixels: Pixels,
        recipe: Recipe,
        mixed: bool = False,
        channels_last: bool = False,
    ) -> None:
        """Put the parts together; `recipe` is the one that the tricks have edited."""
        super().__init__()

        self.tricks, self.feed, self.pixels = tricks, feed, pixels
        self.recipe, self.mixed = recipe, mixed
        self.nets, self.optimizers = nn.ModuleDict(), nn.ModuleDict()
        for player in ("G", "D"):
            layers = tricks.network(build(player, recipe), player)
            weight = tricks.weight if tricks.plays("weight") else None
            net = Net(player, layers, feed.start, tricks.init, weight)
            net.channels_last = channels_last
            self.nets[player] = net
            self.optimizers[player] = tricks.optimizer(Adam(net.theta), player)
        self.signals = Signals(len(feed.seed))
        self.rounds: list[Round] = tricks.phases(list(TEXTBOOK))
        tricks.build(self)

    @property
    def G(self) -> Net:
        """The generator."""
        return self.nets["G"]  # type: ignore[return-value]

    @property
    def D(self) -> Net:
        """The discriminator."""
        return self.nets["D"]  # type: ignore[return-value]

    def precision(self) -> AbstractContextManager[None]:
        """Return the context of a forward pass: bfloat16 products under autocast, or nothing."""
        if not self.mixed:
            return EXACT
        return torch.autocast(self.feed.clock.device.type, torch.bfloat16)

    # -- one round ---------------------------------------------------------------------------------

    def play(self, stages: Round) -> None:
        """Play one round, the unit that is compiled or captured."""
        batch = self.draw(any(t.player == "G" for stage in stages for t in stage))
        shown: list[dict[str, Tensor]] = []
        for before, stage in zip(((), *stages), stages, strict=False):
            if any(turn.player == "G" for turn in before):
                batch = self.renew(batch)
            steps = [self.differentiate(turn, batch) for turn in stage]  # all, before any moves
            for step in steps:
                self.move(step)
                shown.append(step.signals())
                step.forget()
        self.signals.add(shown)
        self.feed.advance()

    def draw(self, grad: bool) -> Batch:
        """Return this round's batch; G runs once and its turn shares the graph."""
        at, normal, rows = self.feed.now()
        real, z = self.pixels(rows), self.tricks.latent(normal, at)
        return Batch(at, real, rows, z, *self.generate(z, at.at("G"), grad))

    def renew(self, batch: Batch) -> Batch:
        """Return the batch with fakes of the generator that has just moved."""
        grad = batch.leaf.requires_grad
        leaf, fake = self.generate(batch.z, batch.at.at("G", "moved"), grad)
        return batch._replace(leaf=leaf, fake=fake)

    def generate(self, z: Tensor, at: Moment, grad: bool) -> tuple[Tensor, Tensor]:
        """Return G's theta as a leaf [K, P] and the fakes [K, B, ...] made with it."""
        leaf = self.G.theta.detach().requires_grad_(grad)
        with self.precision():
            fake = self.G(self.G.open(leaf), z, at).value
        return leaf, fake.to(z.dtype)

    def differentiate(self, turn: Turn, batch: Batch) -> Step:
        """Return the step of one turn with its gradient [K, P]; writes nothing."""
        step, mine = Step(self, turn, batch), turn.player == "G"
        own = batch.leaf if mine else self.D.theta.detach().requires_grad_()
        rival = self.D.theta.detach() if mine else self.G.theta.detach()
        own, rival = self.tricks.point(own, rival, step)
        with self.precision():
            step.total = self.objective(step, rival if mine else own)
        # Ones for every trial: the gradient of the sum over K, row k of which is trial k's own.
        (step.gradient,) = torch.autograd.grad(step.total, own, torch.ones_like(step.total))
        return step

    def objective(self, step: Step, d_theta: Tensor) -> Tensor:
        """Return the loss [K] of the player whose turn it is, against D at `d_theta` [K, P]."""
        step.aim(d_theta)
        loss = self.tricks.adversary(step)
        loss = non_saturating(step) if loss is None else loss
        step.loss = self.tricks.weigh(loss, step).mean(1)
        penalty = self.tricks.penalty(step)
        return step.loss if penalty is None else step.loss + penalty

    @torch.no_grad()
    def move(self, step: Step) -> None:
        """Move the player along its gradient, then let the tricks write their memory."""
        optimizer: Optimizer = self.optimizers[step.player]  # type: ignore[assignment]
        theta = self.nets[step.player].theta
        gradient, gate = self.tricks.gradient(step.gradient, step), self.tricks.gate(step)
        if gate is None:
            optimizer.move(theta, gradient)  # type: ignore[arg-type]
        else:
            optimizer.move_where(gate, theta, gradient)  # type: ignore[arg-type]
        self.tricks.settle(step)


class Step:
    """One turn, and all that a loss, a penalty or a trick may ask of it.

    Attributes:
        loss: The adversarial loss [K].
        total: The loss with all penalties [K].
        gradient: Of the total, [K, P].
    """

    loss: Tensor
    total: Tensor
    gradient: Tensor

    def __init__(self, gan: Gan, turn: Turn, batch: Batch) -> None:
        self.gan, self.turn, self.batch = gan, turn, batch
        self.player, self.z, self.rows = turn.player, batch.z, batch.rows
        self.at = batch.at.at(turn.player)
        real, fake = batch.real, batch.fake
        if turn.player == "D":
            real, fake = gan.tricks.sides(real, fake.detach(), self.at)
            fake = fake.detach().requires_grad_()  # a leaf, for penalties on fakes
        self.images = {"real": real.detach().requires_grad_(), "fake": fake}

    def aim(self, d_theta: Tensor) -> None:
        """Look through D at `d_theta` [K, P] from here on."""
        self.d_theta = d_theta
        self.weights: Weights = self.gan.D.open(d_theta)
        self.real = Side(self, "real", 1.0)
        self.fake = Side(self, "fake", float(self.player == "G"))

    @property
    def own(self) -> Tensor:
        """The parameters [K, P] of the player whose turn it is, as the gradient's leaf."""
        return self.batch.leaf if self.player == "G" else self.d_theta

    def again(self, player: Player, occasion: str) -> Step:
        """Return the same batch in another turn, for tricks that look ahead."""
        batch = self.batch._replace(at=self.batch.at.at(occasion))
        return Step(self.gan, Turn(player), batch)

    def forget(self) -> None:
        """Let go of both sides: they hold the step, and a cycle keeps its graph until Python looks.

        Without it every round allocates memory that no cache has seen.
        """
        self.__dict__.pop("together", None)
        del self.real, self.fake

    def see(self, x: Tensor, occasion: str) -> Output:
        """Return D's scores [K, U, 1] and features [K, U, ...] of x; the one door to D.

        Every view is applied, and the occasion names the draws made on the way.
        """
        at = self.at.at(occasion)
        return self.gan.D(self.weights, self.gan.tricks.view(x, at), at)

    def sum_sides(self, term: Callable[[Side], Tensor]) -> Tensor:
        """Return the sum [K, U] of a term over the sides that this turn is about."""
        sides = [term(getattr(self, side)) for side in self.turn.sides]
        return sum(sides[1:], sides[0])

    def signals(self) -> dict[str, Tensor]:
        """Return what curves show of this turn, [K] each; nothing of it holds a graph."""
        player, loss = self.player.lower(), self.loss.detach()
        with torch.no_grad():
            found = {f"loss_{player}": loss, f"grad_norm_{player}": self.gradient.norm(dim=1)}
            for side in (self.real, self.fake):
                if self.player == "D" and "logits" in side.__dict__:  # only where the loss asked
                    found[f"score_{side.name}"] = side.logits.mean(1)
        return found

    @once
    def together(self) -> dict[str, Output]:
        """Both sides in one pass through D."""
        tricks, d = self.gan.tricks, self.gan.D
        shown = [tricks.view(x, self.at.at(side)) for side, x in self.images.items()]
        both = d(self.weights, torch.cat(shown, 1), self.at.at("both"))
        real, fake = (Output(*pair) for pair in zip(*(x.chunk(2, 1) for x in both), strict=True))
        return {"real": real, "fake": fake}


@dataclass
class Side:
    """Real or fake images as D sees them; scores and targets are made when first asked for."""

    step: Step
    name: str
    hard: float  # the class that the player of this turn wants D to say

    @property
    def images(self) -> Tensor:
        """[K, B, C, H, W], before views."""
        return self.step.images[self.name]

    @once
    def output(self) -> Output:
        """D's scores and features."""
        if self.step.turn.merged and self.step.player == "D":
            return self.step.together[self.name]
        return self.step.see(self.images, self.name)

    @once
    def logits(self) -> Tensor:
        """[K, U], in the precision of theta."""
        return self.output.value.squeeze(2).to(self.images.dtype)

    @property
    def features(self) -> Tensor:
        """[K, U, F], what D's last layer is given."""
        return self.output.features.reshape(*self.logits.shape, -1)

    @once
    def target(self) -> Tensor:
        """[K, U], the labels after every trick that edits them."""
        hard = torch.full_like(self.logits, self.hard)
        return self.step.gan.tricks.target(hard, self, self.step.at.at(self.name))


def non_saturating(step: Step) -> Tensor:
    """Return the textbook loss [K, U] (Goodfellow et al. 2014, arXiv 1406.2661, section 3).

    Cross-entropy on logits; G raises log D(G(z)). The baseline where no trick defines another.
    """
    if step.player == "G":
        return bce(step.fake.logits, step.fake.target, reduction="none")
    return step.sum_sides(lambda side: bce(side.logits, side.target, reduction="none"))
