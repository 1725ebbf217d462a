"""What must hold before a number counts: speed is not bought with another experiment.

A law measures how far two things that must be equal are apart, or how far two that must differ are.
Laws that are exact are measured in float64; the rung as it is played.

Legend: K trials.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import partial

import torch
from torch import Tensor

from ablate import __version__
from ablate.config.catalog import entry, trick_set
from ablate.core.feed import Feed
from ablate.core.pixels import Pixels
from ablate.core.recipe import Recipe
from ablate.core.step import Gan
from ablate.core.turn import Turn
from ablate.disk import replace_file, telling_disk_errors
from ablate.errors import UserError
from ablate.models.dcgan import dcgan
from ablate.runner.conv_choice import set_forms
from ablate.runner.machine import Machine
from ablate.screen.duration import lasted
from ablate.screen.letters import counted, say
from ablate.train.ladder import NEAR, PERIODS, Play, climb

SEEDS = (5, 6, 7)
EXACT = 1e-9  # relative, in float64
BITE = 1e-6  # what a penalty must change of a gradient
ROWS, BATCH, LATENT, WIDTH, ROUNDS = 256, 32, 16, 8, 64  # of the stack that `ablate selftest` holds
PENALTY, OTHER = ("gp_interp", {"strength": 10.0}), ("r1", {"gamma": 1.0})

Stack = Callable[[Sequence[int]], Gan]  # one trial a seed, in torch's default precision


@dataclass(frozen=True)
class Law:
    """One measurement.

    Attributes:
        name: What must hold.
        value: What was measured.
        bound: What it is held against.
        above: Whether it must be above the bound, and not below.
    """

    name: str
    value: float
    bound: float
    above: bool = False

    @property
    def holds(self) -> bool:
        """Whether it does; a number that is none fails."""
        return self.value > self.bound if self.above else self.value < self.bound

    def __str__(self) -> str:
        return f"{self.name} {self.value:.1e}" + ("" if self.holds else " FAILED")


@contextmanager
def double() -> Iterator[None]:
    """Build and play inside in float64."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        yield
    finally:
        torch.set_default_dtype(before)


def exact_laws(stack: Stack, otherwise: Stack) -> list[Law]:
    """Return the laws of a stack that hold to the last digits.

    A penalty that silently vanishes is what torch did where a compiled part was differentiated
    twice (pytorch#181581).

    Args:
        stack: Builds it.
        otherwise: Builds the same with another penalty, or none.
    """
    with double():
        whole = moved(stack(SEEDS))
        alone = torch.cat([moved(stack([seed])) for seed in SEEDS])
        order = [2, 0, 1]
        permuted = moved(stack([SEEDS[i] for i in order]))
        bite = apart(d_gradient(stack(SEEDS[:2])), d_gradient(otherwise(SEEDS[:2])))
    return [
        Law("stack = its trials alone", apart(whole, alone), EXACT),
        Law("slots permuted = results permuted", apart(permuted, whole[order]), EXACT),
        Law("the penalty turns D's gradient", bite, BITE, above=True),
    ]


def rung_law(name: str, found: Tensor, plain: Gan) -> Law:
    """Return whether a rung has moved the trials as eager does.

    Args:
        name: Of the rung.
        found: What `moved` gave with it.
        plain: The same trials, not yet played.
    """
    start, end = thetas(plain), moved(plain)
    value = float((found - end).abs().mean() / (end - start).abs().mean())
    return Law(f"{name} = eager", value, NEAR[plain.mixed])


def apart(a: Tensor, b: Tensor) -> float:
    """Return the largest difference, relative to the largest number; infinite where one is NaN."""
    value = float((a - b).abs().max() / b.abs().max())
    return math.inf if math.isnan(value) else value


def thetas(gan: Gan) -> Tensor:
    """Return both players' parameters [K, ...]."""
    return torch.cat([gan.G.theta, gan.D.theta], 1).clone()


def moved(gan: Gan, play: Play | None = None) -> Tensor:
    """Return both players' parameters after some periods of the schedule."""
    play = play or gan.play
    for _ in range(PERIODS):
        for stages in gan.rounds:
            gan.feed.refill()
            play(stages)
            gan.feed.count()
    return thetas(gan)


def d_gradient(gan: Gan) -> Tensor:
    """Return D's gradient in its first turn."""
    gan.feed.refill()
    return gan.differentiate(Turn("D"), gan.draw(True)).gradient


# -- of this machine -------------------------------------------------------------------------------


def laws(machine: Machine) -> Iterator[Law]:
    """Yield the laws of a small stack on a machine, and of its rung where that is above eager."""
    yield from exact_laws(small(machine, PENALTY), small(machine, OTHER))
    stack = small(machine, PENALTY)
    gan = stack(SEEDS)
    play, note = climb(gan, machine.rung)
    if play != gan.play or note:
        name = machine.rung if machine.rung != "auto" else "rung"
        law = rung_law(name, moved(gan, play), stack(SEEDS))
        yield Law(f"{law.name}: {note}", math.inf, law.bound) if note else law


def small(machine: Machine, penalty: tuple[str, dict[str, float]]) -> Stack:
    """Return what builds a stack of small networks on made-up images, under a penalty."""
    name, change = penalty
    tricks = {name: {**entry(name).settings, **change}}
    made = torch.Generator().manual_seed(0)
    data = torch.randint(0, 256, (ROWS, 1, 8, 8), generator=made, dtype=torch.uint8)

    def stack(seeds: Sequence[int]) -> Gan:
        recipe = Recipe(BATCH, LATENT, shape=(1, 8, 8))
        gan = Gan(
            trick_set([tricks] * len(seeds)),
            partial(dcgan, width=WIDTH),
            Feed(list(seeds), ROWS, BATCH, LATENT, ROUNDS),
            Pixels(data, None, recipe.image_range),
            recipe,
        ).to(machine.device)
        set_forms(gan, machine.operator, machine.cache)
        return gan

    return stack


def place_of(machine: Machine) -> str:
    """Return what the laws were measured on."""
    cuda = machine.device.startswith("cuda")
    return torch.cuda.get_device_name(machine.device) if cuda else "CPU"


def require(machine: Machine) -> None:
    """Hold a GPU to the exact laws before it trains; it is asked once for every version.

    A rung needs no such look: every stack rehearses it, and falls back where it fails.

    Raises:
        UserError: One fails, or the cache cannot be written.
    """
    place = place_of(machine)
    name = f"{'-'.join(place.split())}-torch-{torch.__version__}-ablate-{__version__}.json"
    path = machine.cache / "selftest" / name
    if path.is_file():
        return
    found = exact_laws(small(machine, PENALTY), small(machine, OTHER))
    failed = [str(law) for law in found if not law.holds]
    if failed:
        raise UserError(
            f"{place} with torch {torch.__version__} computes something else than was asked for "
            f"({'; '.join(failed)}); type device=cpu, or install another release of torch."
        )
    with telling_disk_errors(machine.cache):
        replace_file(path, json.dumps([asdict(law) for law in found], indent=1).encode())


def told(machine: Machine) -> bool:
    """Print every law with its number and its bound; return whether all hold."""
    start, found = time.perf_counter(), list[Law]()
    for law in laws(machine):
        found.append(law)
        sign, word = ">" if law.above else "<", "holds" if law.holds else "FAILS"
        say(f"  {law.name:<34} {law.value:.1e}   {sign} {law.bound:.0e}   {word}")
    good = sum(law.holds for law in found)
    say(
        f"{good} of {counted(len(found), 'law')} hold on {place_of(machine)}, torch "
        f"{torch.__version__}, {counted(torch.get_num_threads(), 'thread')}; "
        f"{lasted(time.perf_counter() - start)}"
    )
    return good == len(found)
