"""The trick interface: settings are annotations, seams are methods, and sets of tricks are tricks.

A trick is a small module. Its numbers are [K], one per trial; everything else about it is
structure, which trials of one stack share. Its memory is `[K, ...]` buffers, written in place and
only in `settle`, so checkpoints, devices, stacks and replay come for free. To write one, subclass
`Trick`, declare settings with `number`, `integer`, `factor`, `choice` or `flag`, and override the
seams it touches.

Legend: K trials, B batch, U units that D scores (B, or B / m packs), Z latent, P parameters.
"""

from __future__ import annotations

import difflib
import itertools
import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Protocol, TypeVar

import torch
from torch import Tensor, nn

from ablate.errors import UserError
from ablate.models.layers import Layer, Network, Player
from ablate.random import Moment

if TYPE_CHECKING:
    from ablate.optim import Optimizer
    from ablate.train.step import Gan as Gan
    from ablate.train.step import Side as Side
    from ablate.train.step import Step as Step
else:  # tricks name these types in their signatures and never build one
    Gan = Side = Step = Any

T = TypeVar("T")
Strength = Tensor  # [K], one number per trial


class Turn(NamedTuple):
    """One player's move.

    Attributes:
        player: "G" or "D".
        due: Names of the tricks whose lazy term is due in this turn.
        sides: Which sides D's loss sums over; two-step splits play one turn a side.
        merged: Real and fake go through D in one pass.
    """

    player: Player
    due: frozenset[str] = frozenset()
    sides: tuple[str, ...] = ("real", "fake")
    merged: bool = False


# A stage is a set of turns whose gradients are taken at one point, before any of them moves.
# The stages of a round share a batch of real images, latents and, where G moves last, G's forward.
Stage = tuple[Turn, ...]
Round = tuple[Stage, ...]
TEXTBOOK: tuple[Round, ...] = (((Turn("D"),), (Turn("G"),)),)


@dataclass(frozen=True)
class Recipe:
    """The plain choices of a run that tricks may change before anything is built.

    Attributes:
        batch_size: Real images in D's batch.
        latent_dim: Z.
        image_range: "tanh" [-1, 1], "sigmoid" [0, 1] or "linear" (standardised, no last function).
        width: Factor on the channels of each player.
        depth: Layers added to each player, may be negative.
        shape: Of one sample, (C, H, W) or (2,) for toys.
        classes: Number of classes, None where the data has no labels.
        data: Name of the data set.
    """

    batch_size: int = 64
    latent_dim: int = 100
    image_range: str = "tanh"
    width: Mapping[Player, float] = field(default_factory=lambda: {"G": 1.0, "D": 1.0})
    depth: Mapping[Player, int] = field(default_factory=lambda: {"G": 0, "D": 0})
    shape: tuple[int, ...] = (1, 8, 8)
    classes: int | None = None
    data: str = "digits"

    @property
    def is_toy(self) -> bool:
        """Points rather than images."""
        return len(self.shape) == 1


LARGEST = 3.4e38  # of float32
MANY = 2**20  # more than anybody means by a whole number


class Setting(NamedTuple):
    """What a setting may be; `numeric` ones are a number per trial, all others are structure."""

    kind: str
    low: float = -math.inf
    high: float = math.inf
    choices: tuple[str, ...] = ()
    off: float | None = None

    @property
    def numeric(self) -> bool:
        """Whether arms that differ in this setting share one program."""
        return self.kind == "number"

    def check(self, owner: str, key: str, value: Any) -> Any:
        """Return the value, converted.

        Raises:
            UserError: The value is not one that this setting can take.
        """
        place = f"trick.{owner}.{key}"
        if self.kind == "choice":
            value = str(value).lower() if isinstance(value, bool) else value
            if value not in self.choices:
                raise UserError(
                    f"{place}={value} is not a choice; type one of {', '.join(self.choices)}."
                )
            return value
        if self.kind == "flag":
            if not isinstance(value, bool):
                raise UserError(f"{place}={value} is not a switch; type true or false.")
            return value
        if value is None and self.off is not None:
            return self.off
        wanted = "a whole number" if self.kind == "integer" else "a number"
        good = isinstance(value, int | float) and not isinstance(value, bool)
        good = good and -LARGEST <= value <= LARGEST  # nan is neither
        if not good or (self.kind == "integer" and value != int(value)):
            raise UserError(f"{place}={value} is not {wanted}.")
        if not self.low <= value <= self.high:
            raise UserError(
                f"{place}={value} is out of range; type {wanted} "
                f"from {self.low:g} to {self.high:g}."
            )
        return int(value) if self.kind == "integer" else float(value)


def number(low: float = -math.inf, high: float = math.inf, off: float | None = None) -> Any:
    """Declare a number per trial in [low, high]; `off` is what `null` stands for."""
    return Setting("number", low, high, off=off)


def integer(low: int, high: float = MANY, off: int | None = None) -> Any:
    """Declare a whole number that is structure; `off` is what `null` stands for."""
    return Setting("integer", low, high, off=off)


def factor(low: float, high: float) -> Any:
    """Declare a number in [low, high] that is structure: shapes depend on it."""
    return Setting("factor", low, high)


def choice(*choices: str) -> Any:
    """Declare one of several names."""
    return Setting("choice", choices=choices)


def flag() -> Any:
    """Declare a switch that is structure."""
    return Setting("flag")


class Problem(NamedTuple):
    """Something that a set of tricks should not do: refused, or run with the record flagged.

    Attributes:
        refuse: Rather than run.
        sentence: What is wrong, and what to type.
        idle: The trick that changes nothing, where that is what is doubted.
    """

    refuse: bool
    sentence: str
    idle: str = ""


Rules = Mapping[str, str]  # trait or trick name -> why


class Others(Protocol):
    """The set that a trick stands in, as the trick sees it."""

    @property
    def members(self) -> nn.ModuleDict:
        """Name -> trick."""

    def __contains__(self, name: object) -> bool:
        """Return whether a trick of a name is there."""

    def marks(self) -> dict[str, list[str]]:
        """Return every trait of the set with the names of the tricks that have it."""


class Trick(nn.Module):
    """A switchable training technique.

    Class attributes:
        group: Heading under which `ablate tricks` lists it.
        rank: Order inside a seam is (rank, name).
        neutral: Settings at which the run is the baseline bit for bit; None where there are none.
        cheap: Whether arms without it may stand beside it in a stack, at its neutral numbers: there
            it costs next to nothing, scores no further generator, and multiplies nothing that may
            be infinite by 0, as a penalty would.
        traits: What other tricks need to know of this one.
        needs, excludes, doubts: Trait or trick name -> why it is required, refused, or flagged.
        cost: What it adds, in words.
        revision: Goes up when its numbers move under the same settings; above 1 it is part of a
            trial's id.
    """

    group: ClassVar[str] = ""
    rank: ClassVar[int] = 0
    neutral: ClassVar[Mapping[str, Any] | None] = None
    cheap: ClassVar[bool] = False
    traits: ClassVar[frozenset[str]] = frozenset()
    needs: ClassVar[Rules] = {}
    excludes: ClassVar[Rules] = {}
    doubts: ClassVar[Rules] = {}
    cost: ClassVar[str] = "none"
    revision: ClassVar[int] = 1
    settings: ClassVar[dict[str, Setting]] = {}
    name: ClassVar[str] = ""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        own = {key: v for key, v in vars(cls).items() if isinstance(v, Setting)}
        for key in own:
            delattr(cls, key)  # a class attribute would hide the buffer of the same name
            assert not hasattr(cls, key), f"{cls.__name__}.{key} is the name of a seam; rename it"
        cls.settings = {**cls.settings, **own}
        cls.name = re.sub(r"(?<!^)(?=[A-Z])", "_", cls.__name__).lower()

    def __init__(self, **settings: Any) -> None:
        """Take every setting; a number may be a sequence with one value per trial."""
        super().__init__()
        self.check_keys(settings)
        self.values: dict[str, list[float]] = {}  # the numbers in full precision, for optimisers
        for key, setting in self.settings.items():
            given = settings[key]
            if setting.numeric:
                many = given if isinstance(given, Sequence) else [given]
                values = [setting.check(self.name, key, v) for v in many]
                self.values[key] = values
                self.register_buffer(key, torch.tensor(values, dtype=torch.get_default_dtype()))
            else:
                setattr(self, key, setting.check(self.name, key, given))

    @classmethod
    def check_keys(cls, settings: Mapping[str, Any]) -> None:
        """Refuse unknown and missing settings by name."""
        for key in settings:
            if key not in cls.settings:
                near = difflib.get_close_matches(key, cls.settings, 1, 0)
                hint = f"type trick.{cls.name}.{near[0]}=..." if near else "it has no settings"
                raise UserError(f"Trick {cls.name} has no setting '{key}'; {hint}.")
        missing = [key for key in cls.settings if key not in settings]
        if missing:
            raise UserError(f"Trick {cls.name} needs a value for {', '.join(missing)}.")

    @classmethod
    def stack(cls, trials: Sequence[Mapping[str, Any]]) -> Trick:
        """Return one trick for K trials whose settings differ in numbers only."""
        for trial in trials:
            cls.check_keys(trial)
            cls.check(trial)
        merged = {
            key: [t[key] for t in trials] if s.numeric else trials[0][key]
            for key, s in cls.settings.items()
        }
        return cls(**merged)

    @classmethod
    def structure(cls, settings: Mapping[str, Any]) -> tuple[Any, ...]:
        """Return what two trials must share to be in one stack."""
        return (cls.name, *(settings[k] for k, s in cls.settings.items() if not s.numeric))

    @classmethod
    def summary(cls) -> str:
        """Return the first line of the docstring."""
        return (cls.__doc__ or "").strip().splitlines()[0]

    # -- what it says about itself -----------------------------------------------------------------

    @classmethod
    def check(cls, settings: Mapping[str, Any]) -> None:
        """Refuse settings of one trial that contradict each other (low above high, ...).

        Raises:
            UserError: They do, in a sentence that says what to type instead.
        """

    def marks(self) -> frozenset[str]:
        """Return its traits under these settings."""
        return self.traits

    def refusals(self) -> Rules:
        """Return what it excludes under these settings."""
        return self.excludes

    def problems(self, others: Others, recipe: Recipe) -> Iterator[Problem]:
        """Yield what this trick has against the rest of the set, the data, or the recipe."""
        return iter(())

    # -- seams played once -------------------------------------------------------------------------

    def recipe(self, recipe: Recipe) -> Recipe:
        """Return the plain choices of the run, edited."""
        return recipe

    def network(self, layers: Network, player: Player) -> Network:
        """Return the player's layers, edited."""
        return layers

    def init(self, first: Tensor, layer: Layer, part: str, at: Moment) -> Tensor:
        """Return the first values [K, ...] of a part of a layer."""
        return first

    def optimizer(self, optimizer: Optimizer, player: Player) -> Optimizer:
        """Return the player's optimiser, edited or another one."""
        return optimizer

    def phases(self, rounds: list[Round]) -> list[Round]:
        """Return the schedule that the loop walks round and round."""
        return rounds

    def build(self, gan: Gan) -> None:
        """Allocate memory, once all sizes are known."""

    # -- seams played in every step ----------------------------------------------------------------

    def weight(self, weight: Tensor, player: Player, layer: Layer) -> Tensor:
        """Return the kernel [K, ...] that the forward pass uses."""
        return weight

    def latent(self, z: Tensor, at: Moment) -> Tensor:
        """Return latents [K, B, Z] made of standard normal ones."""
        return z

    def sides(self, real: Tensor, fake: Tensor, at: Moment) -> tuple[Tensor, Tensor]:
        """Return what D's turn is given, [K, B, ...] each."""
        return real, fake

    def view(self, x: Tensor, at: Moment) -> Tensor:
        """Return what D is shown of x, real and fake alike, in both turns."""
        return x

    def target(self, target: Tensor, side: Side, at: Moment) -> Tensor:
        """Return the labels [K, U] of one side."""
        return target

    def adversary(self, step: Step) -> Tensor:
        """Return the loss [K, U] of the player whose turn it is."""
        raise AssertionError("the seam is played only for tricks that override it")

    def weigh(self, loss: Tensor, step: Step) -> Tensor:
        """Return the loss [K, U], every unit weighted."""
        return loss

    def penalty(self, step: Step) -> Tensor | None:
        """Return a term [K] that is added to the loss, or None in turns that have none."""
        return None

    def gate(self, step: Step) -> Tensor | None:
        """Return bool [K]: whether the player moves at all; None is always."""
        return None

    def gradient(self, gradient: Tensor, step: Step) -> Tensor:
        """Return the gradient [K, P] of the player whose turn it is."""
        return gradient

    def point(self, own: Tensor, rival: Tensor, step: Step) -> tuple[Tensor, Tensor]:
        """Return the point (own theta, rival's theta) at which the gradient is taken."""
        return own, rival

    def settle(self, step: Step) -> None:
        """Write memory, after a move; the only place that may."""

    # -- seams played at evaluation ----------------------------------------------------------------

    def sampler(self, generators: dict[str, Tensor], gan: Gan) -> dict[str, Tensor]:
        """Return the generators to score: name -> theta [K, P]."""
        return generators


SEAMS = (
    "recipe", "network", "init", "optimizer", "phases", "build",  # played once
    "weight", "latent", "sides", "view", "target", "adversary", "weigh", "penalty", "gate",
    "gradient", "point", "settle",  # in every step
    "sampler",  # at evaluation
)  # fmt: skip


def slope(score: Tensor, x: Tensor) -> Tensor:
    """Return D's gradient at x, differentiable again: scores [K, U] and x [K, B, ...] -> [K, U, V].

    A unit is what D scores, one image or a pack of them: the norm belongs to the unit.
    """
    (g,) = torch.autograd.grad(score.sum(), x, create_graph=True)
    return g.reshape(*score.shape, -1)


def mark_every(rounds: list[Round], name: str, every: int, side: str) -> list[Round]:
    """Return the schedule with every k-th of D's turns that see a side marked as due for a trick.

    The list grows to the period, so that a schedule stays a list that is walked round and round.
    """
    if every == 1:
        return rounds
    numbers = itertools.count()

    def mark(turn: Turn) -> Turn:
        due = sees(turn) and next(numbers) % every == 0
        return turn._replace(due=turn.due | {name}) if due else turn

    def sees(turn: Turn) -> bool:
        return turn.player == "D" and side in turn.sides

    count = sum(sees(t) for stages in rounds for stage in stages for t in stage)
    longer = rounds * (every // math.gcd(every, count))
    return [tuple(tuple(mark(t) for t in stage) for stage in stages) for stages in longer]


class TrickSet(nn.Module):
    """A set of tricks, which is itself a trick: every seam asks those members that override it.

    Order inside a seam is (rank, name), so that sets have no order of listing.
    """

    def __init__(self, tricks: Iterable[Trick] = ()) -> None:
        super().__init__()
        ordered = sorted(tricks, key=lambda t: (t.rank, t.name))
        self.members = nn.ModuleDict({trick.name: trick for trick in ordered})
        self.seams: dict[str, list[Trick]] = {
            seam: [trick for trick in ordered if overrides(trick, seam)] for seam in SEAMS
        }

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name in self.members

    def __iter__(self) -> Iterator[Trick]:
        return iter(self.members.values())  # type: ignore[arg-type]

    def marks(self) -> dict[str, list[str]]:
        """Return every trait of the set with the names of the tricks that have it."""
        found: dict[str, list[str]] = {}
        for trick in self:
            for trait in {*trick.marks(), trick.name}:
                found.setdefault(trait, []).append(trick.name)
        if not self.seams["adversary"]:  # the baseline's loss has targets of any kind
            for trait in ("soft_targets", "hard_targets", "anchored", "separable"):
                found.setdefault(trait, []).append("the baseline")
        return found

    def problems(self, recipe: Recipe, surgery: bool = True) -> list[Problem]:
        """Return everything that is wrong or doubtful about this set, all at once.

        Args:
            recipe: The plain choices of the run, before the set edits them.
            surgery: Whether the networks are lists of layers that can be edited.
        """
        edited = self.recipe(recipe)
        found = [*self.clashes(), *self.broken_rules()]
        for trick in self:
            if not surgery:
                found.extend(self.against_foreign(trick, recipe))
            found.extend(trick.problems(self, edited))
        return found

    def against_foreign(self, trick: Trick, recipe: Recipe) -> Iterator[Problem]:
        """Yield what a trick would do to networks that are not ours: nothing, or half of it."""
        after = trick.recipe(recipe)
        if self.works_on_layers(trick):
            yield Problem(
                True,
                f"Trick {trick.name} works on layers, and model=module brings networks "
                f"whose layers are not ours; drop {trick.name} or choose another model.",
            )
        if (after.width, after.depth) != (recipe.width, recipe.depth):
            yield Problem(
                True,
                f"Trick {trick.name} sizes networks of ours, and model=module brings its own; give "
                "the sizes in model.generator_kwargs and model.discriminator_kwargs, or drop "
                f"{trick.name}.",
            )
        if after.image_range != recipe.image_range:
            yield Problem(
                True,
                f"Trick {trick.name} changes G's last function with the range of pixels, and "
                f"model=module brings a G that ends in [-1, 1]; drop {trick.name} or choose "
                "another model.",
            )

    def works_on_layers(self, trick: Trick) -> bool:
        """Return whether a trick needs networks that are lists of our layers."""
        edits = any(trick in self.seams[seam] for seam in ("network", "init", "weight"))
        return edits or "reads_features" in trick.marks()

    def broken_rules(self) -> Iterator[Problem]:
        """Yield what the declared needs, exclusions and doubts say about this set."""
        marks = self.marks()
        for trick in self:
            for trait, why in trick.needs.items():
                if trait not in marks:
                    yield Problem(True, missing(trick.name, trait, why, marks))
            for refuse, rules in ((True, trick.refusals()), (False, trick.doubts)):
                for trait, why in rules.items():
                    for other in marks.get(trait, ()):
                        if other != trick.name:
                            sentence = clash if refuse else doubt
                            yield Problem(refuse, sentence(trick.name, other, why))

    def clashes(self) -> Iterator[Problem]:
        """Yield the seams that take exactly one trick and were given several."""
        names = [t.name for t in self.seams["adversary"]]
        if len(names) > 1:
            yield Problem(
                True, f"Tricks {names} each define the adversarial loss; keep one of them."
            )

    def plays(self, seam: str) -> bool:
        """Return whether a member overrides a seam."""
        return bool(self.seams[seam])

    def pipe(self, seam: str, value: T, *rest: Any) -> T:
        """Return the value after every member that overrides the seam had it."""
        for trick in self.seams[seam]:
            value = getattr(trick, seam)(value, *rest)
        return value

    # -- the seams: one typed line each; `Trick` says what they are --------------------------------

    def recipe(self, recipe: Recipe) -> Recipe:
        """Pipe the plain choices."""
        return self.pipe("recipe", recipe)

    def network(self, layers: Network, player: Player) -> Network:
        """Pipe the layers."""
        return self.pipe("network", layers, player)

    def init(self, first: Tensor, layer: Layer, part: str, at: Moment) -> Tensor:
        """Pipe the first values [K, ...]."""
        return self.pipe("init", first, layer, part, at)

    def optimizer(self, optimizer: Optimizer, player: Player) -> Optimizer:
        """Pipe the optimiser."""
        return self.pipe("optimizer", optimizer, player)

    def phases(self, rounds: list[Round]) -> list[Round]:
        """Pipe the schedule."""
        return self.pipe("phases", rounds)

    def build(self, gan: Gan) -> None:
        """Let every member allocate its memory."""
        for trick in self.seams["build"]:
            trick.build(gan)

    def weight(self, weight: Tensor, player: Player, layer: Layer) -> Tensor:
        """Pipe the kernel [K, ...]."""
        return self.pipe("weight", weight, player, layer)

    def latent(self, z: Tensor, at: Moment) -> Tensor:
        """Pipe the latents [K, B, Z]."""
        return self.pipe("latent", z, at)

    def sides(self, real: Tensor, fake: Tensor, at: Moment) -> tuple[Tensor, Tensor]:
        """Pipe both sides [K, B, ...]."""
        for trick in self.seams["sides"]:
            real, fake = trick.sides(real, fake, at)
        return real, fake

    def view(self, x: Tensor, at: Moment) -> Tensor:
        """Pipe what D is shown [K, B, ...]."""
        return self.pipe("view", x, at)

    def target(self, target: Tensor, side: Side, at: Moment) -> Tensor:
        """Pipe the labels [K, U]."""
        return self.pipe("target", target, side, at)

    def adversary(self, step: Step) -> Tensor | None:
        """Return the loss [K, U] of the one member that defines it, or None."""
        return next((trick.adversary(step) for trick in self.seams["adversary"]), None)

    def weigh(self, loss: Tensor, step: Step) -> Tensor:
        """Pipe the loss [K, U]."""
        return self.pipe("weigh", loss, step)

    def penalty(self, step: Step) -> Tensor | None:
        """Return the sum [K] of what the members add, or None."""
        asked = [trick.penalty(step) for trick in self.seams["penalty"]]
        terms = [term for term in asked if term is not None]
        return sum(terms[1:], terms[0]) if terms else None

    def gate(self, step: Step) -> Tensor | None:
        """Return whether all members let the player move, bool [K]; None where nobody asks."""
        asked = [trick.gate(step) for trick in self.seams["gate"]]
        gates = [gate for gate in asked if gate is not None]
        return torch.stack(gates).all(0) if gates else None

    def gradient(self, gradient: Tensor, step: Step) -> Tensor:
        """Pipe the gradient [K, P]."""
        return self.pipe("gradient", gradient, step)

    def point(self, own: Tensor, rival: Tensor, step: Step) -> tuple[Tensor, Tensor]:
        """Pipe the point, [K, P] each."""
        for trick in self.seams["point"]:
            own, rival = trick.point(own, rival, step)
        return own, rival

    def settle(self, step: Step) -> None:
        """Let every member write its memory."""
        for trick in self.seams["settle"]:
            trick.settle(step)

    def sampler(self, generators: dict[str, Tensor], gan: Gan) -> dict[str, Tensor]:
        """Pipe the generators to score."""
        return self.pipe("sampler", generators, gan)


def overrides(trick: Trick, seam: str) -> bool:
    """Return whether a trick plays a seam."""
    return getattr(type(trick), seam) is not getattr(Trick, seam)


TRAITS = {
    "soft_targets": "a loss with targets between 0 and 1",
    "hard_targets": "a loss with a class for every sample",
    "separable": "a loss that is a sum over real and fake",
    "anchored": "a loss whose logits have a zero level",
}


def missing(name: str, trait: str, why: str, marks: Mapping[str, list[str]]) -> str:
    """Return the sentence for a trait that nothing in the set has."""
    losses = marks.get("adversary_loss", [])
    if trait in TRAITS and losses:
        return (
            f"Trick {name} needs {TRAITS[trait]} and {losses[0]} is none: {why}; "
            f"drop {name} or {losses[0]}."
        )
    return f"Trick {name} needs {TRAITS.get(trait, trait)}: {why}; add one or drop {name}."


def clash(name: str, other: str, why: str) -> str:
    """Return the sentence for two tricks of which one refuses the other."""
    return f"Tricks {sorted((name, other))} exclude each other: {why}; drop one of them."


def doubt(name: str, other: str, why: str) -> str:
    """Return the sentence for two tricks that run together with the record flagged."""
    return f"{name} with {other}: {why}."
