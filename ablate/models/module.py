"""A researcher's own torch.nn.Module as a player: its parameters become columns of theta.

Legend: K trials, B batch, Z latent, C H W image.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call, vmap
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.dropout import _DropoutNd

from ablate.core.layers import Layer, Network, Shape, Weights
from ablate.core.recipe import Player, Recipe
from ablate.core.rng import Moment
from ablate.errors import UserError

Factory = Callable[..., nn.Module]


def module(player: Player, recipe: Recipe, classes: Mapping[Player, Factory],
           kwargs: Mapping[Player, Mapping[str, Any]]) -> Network:  # fmt: skip
    """Return a player made of one foreign module.

    Args:
        player: "G", latents [B, Z] -> images [B, C, H, W] in [-1, 1] (points [B, 2] for toys), or
            "D", images -> logits [B] or [B, 1].
        recipe: Gives Z and the shape of a sample.
        classes: What makes each player's module.
        kwargs: What it is called with.

    Raises:
        UserError: The module draws from torch's generator, or its output has another shape.
    """
    factory, given = classes[player], kwargs[player]
    name = getattr(factory, "__name__", str(factory))
    inputs = (recipe.latent_dim,) if player == "G" else recipe.shape
    wanted = recipe.shape if player == "G" else (1,)
    with torch.random.fork_rng(devices=[]):  # a module's own first values are drawn here too
        template = stateless(factory(**given), name)
    try:
        with torch.no_grad():
            found: object = tuple(template(torch.zeros(2, *inputs)).shape[1:])
    except RuntimeError as error:
        found = f"'{error}'"
    if found != wanted and not (player == "D" and found == ()):
        raise UserError(
            f"{name} makes {found} of {tuple(inputs)} and {wanted} is needed; change the module, "
            f"model.{'generator' if player == 'G' else 'discriminator'}_kwargs, or the data."
        )
    return [Foreign("module", wanted, template, lambda: stateless(factory(**given), name))]


def stateless(made: nn.Module, name: str) -> nn.Module:
    """Return the module without running statistics, which trials of a stack cannot share.

    Raises:
        UserError: It has dropout, whose mask would come from a generator that all trials share.
    """
    for part in made.modules():
        if isinstance(part, _DropoutNd) and part.p > 0:
            raise UserError(
                f"{name} has {type(part).__name__}, which draws from torch's global generator; "
                "take it out and use the tricks dropout_d or g_noise with a network of ours."
            )
        if isinstance(part, _BatchNorm):
            part.track_running_stats = False
            part.running_mean = part.running_var = part.num_batches_tracked = None
    return made.train()


@dataclass(frozen=True)
class Foreign(Layer):
    """A module called as a function of its parameters, once for all trials."""

    sample: Shape  # of its output
    template: nn.Module = field(compare=False)
    make: Callable[[], nn.Module] = field(compare=False)
    drawn: dict[tuple[int, ...], list[dict[str, Tensor]]] = field(
        default_factory=dict, compare=False
    )

    def shapes(self) -> dict[str, Shape]:
        """Return every parameter of the module by its own name."""
        return {name: tuple(p.shape) for name, p in self.template.named_parameters()}

    def first(self, part: str, at: Moment) -> Tensor:
        """Return the module's own first values [K, ...], from a seed of every trial's own."""
        seeds = tuple((at.bits(self.name, 1)[:, 0] & 0x7FFFFFFF).tolist())
        if seeds not in self.drawn:
            self.drawn[seeds] = [self.parameters_at(seed) for seed in seeds]
        return torch.stack([trial[part] for trial in self.drawn[seeds]]).to(at.dtype)

    def parameters_at(self, seed: int) -> dict[str, Tensor]:
        """Return the parameters of a fresh module."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            return {name: p.detach() for name, p in self.make().named_parameters()}

    def __call__(self, x: Tensor, weights: Weights, at: Moment) -> Tensor:
        """Return the module's output [K, B, ...]."""
        parameters = weights[self.name]
        self.template.to(x.device, x.dtype)
        if len(x) == 1:
            alone = {name: p.squeeze(0) for name, p in parameters.items()}
            y = functional_call(self.template, alone, x.squeeze(0)).unsqueeze(0)
        else:
            y = vmap(lambda p, x: functional_call(self.template, p, x))(dict(parameters), x)
        return y.reshape(*x.shape[:2], *self.sample)
