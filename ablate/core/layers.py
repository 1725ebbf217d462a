"""Layers with the trial axis: K networks run as one, and surgery can replace every layer.

A layer is a frozen record of what it is. It owns no numbers: its parameters are views into the
player's matrix `theta [K, P]`, handed in as `weights[layer.name]`. Images are [K, B, C, H, W],
features [K, B, F].

Legend: K trials, B batch, C channels, H W image, F features, O out, I in.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor

from ablate.core.convolution import Kernel, convolve
from ablate.core.rng import Moment

Shape = tuple[int, ...]
Number = float | Callable[[], Tensor]  # one number for all trials, or a function that gives [K]


class Weights(dict[str, dict[str, Tensor]]):
    """A player's parameters, cut from theta: layer name -> part -> [K, ...].

    Attributes:
        channels_last: Lay images out with channels last in memory: speed, not meaning.
        forms: Layer name -> the form of its convolution, "grouped" where there is none.
        recording: Normalisation layers write the statistics of this pass into their entry, and use
            them from then on.
        seen: Layer name -> what its convolution was given, where somebody wants to know.
    """

    channels_last: bool = False
    forms: Mapping[str, str] = MappingProxyType({})
    recording: bool = False
    seen: dict[str, tuple[Shape, Kernel]] | None = None

    def convolve(self, name: str, x: Tensor, kernel: Kernel) -> Tensor:
        """Return the convolution of a layer, in the form that was chosen for it."""
        if self.seen is not None:
            self.seen[name] = x.shape, kernel
        return convolve(x, kernel, self.forms.get(name, "grouped"), self.channels_last)


@dataclass(frozen=True)
class Layer:
    """One step of a network.

    `name` is unique in its player and keys the first draws of the layer's parameters. A layer is
    `plain` if it takes a single trial without the trial axis too, [B, ...] -> [B, ...]: a network
    of plain layers then runs without it, which spares two views a layer.
    """

    plain: ClassVar[bool] = False

    name: str

    def shapes(self) -> dict[str, Shape]:
        """Return the parts that this layer owns and the shape of each, without K."""
        return {}

    def fan_in(self) -> int:
        """Return the number of inputs that one output sums over."""
        return 1

    def first(self, part: str, at: Moment) -> Tensor:
        """Return the first values [K, ...] of a part: torch's default, U(-1, 1) / sqrt(fan_in)."""
        bound = 1 / math.sqrt(self.fan_in())
        return (at.uniform(f"{self.name}.{part}", *self.shapes()[part]) * 2 - 1) * bound

    def used(self, part: str, k: int) -> Shape:
        """Return the shape in which the forward pass of K trials takes a part: [K, ...]."""
        return (k, *self.shapes()[part])

    def leaves(self) -> Iterable[Layer]:
        """Yield the layers inside that own parameters or can be operated on."""
        yield self

    def __call__(self, x: Tensor, weights: Weights, at: Moment) -> Tensor:
        """Return the layer's output for every trial."""
        raise TypeError(f"{type(self).__name__} has no forward pass.")


def rewrite(
    layers: Iterable[Layer], edit: Callable[[Layer], Layer | Iterable[Layer]]
) -> list[Layer]:
    """Return the layers with `edit` applied to every one, inside residual blocks too.

    Args:
        layers: A network.
        edit: Takes a layer and returns it, another one, several, or none.
    """
    result: list[Layer] = []
    for layer in layers:
        opened = layer
        if isinstance(layer, Residual):
            main, skip = tuple(rewrite(layer.main, edit)), tuple(rewrite(layer.skip, edit))
            opened = replace(layer, main=main, skip=skip)
        new = edit(opened)
        result.extend([new] if isinstance(new, Layer) else new)
    return result


def leaves(layers: Iterable[Layer]) -> list[Layer]:
    """Return every layer of a network, residual blocks opened."""
    return [leaf for layer in layers for leaf in layer.leaves()]


def like(number: Tensor, x: Tensor) -> Tensor:
    """Return a number per trial [K] shaped to multiply x [K, ...]."""
    return number.view(-1, *(1 for _ in x.shape[1:]))


@dataclass(frozen=True)
class Linear(Layer):
    """y = x W' + b on features."""

    plain = True

    inputs: int
    outputs: int
    bias: bool = True

    def shapes(self) -> dict[str, Shape]:
        """Return weight [O, I] and, with bias, bias [O]."""
        return {"weight": (self.outputs, self.inputs)} | (
            {"bias": (self.outputs,)} if self.bias else {}
        )

    def fan_in(self) -> int:
        """Return I."""
        return self.inputs

    def used(self, part: str, k: int) -> Shape:
        """Return [K, O, I] and [K, 1, O]; without K for one trial, an ordinary linear layer."""
        shape = self.shapes()[part]
        if k == 1:
            return shape
        return (k, 1, *shape) if part == "bias" else (k, *shape)

    def __call__(self, x: Tensor, weights: Weights, at: Moment) -> Tensor:
        """Return [K, B, O] from [K, B, ...] with I numbers a sample."""
        w = weights[self.name]
        x = x.flatten(-3) if x.dim() > 3 else x
        bias = w.get("bias")
        if w["weight"].dim() == 2:
            return F.linear(x, w["weight"], bias)
        kernel = w["weight"].transpose(1, 2)
        return torch.bmm(x, kernel) if bias is None else torch.baddbmm(bias, x, kernel)


@dataclass(frozen=True)
class Conv(Layer):
    """A convolution, every trial with its own kernels."""

    plain = True

    inputs: int
    outputs: int
    kernel: int
    stride: int = 1
    padding: int = 0
    bias: bool = True

    def shapes(self) -> dict[str, Shape]:
        """Return weight [O, I, k, k] and, with bias, bias [O]."""
        weight = {"weight": (self.outputs, self.inputs, self.kernel, self.kernel)}
        return weight | ({"bias": (self.outputs,)} if self.bias else {})

    def fan_in(self) -> int:
        """Return I k^2."""
        return self.inputs * self.kernel**2

    def used(self, part: str, k: int) -> Shape:
        """Return the parts of all trials in a row, as a grouped convolution has them."""
        first, *rest = self.shapes()[part]
        return (k * first, *rest)

    def __call__(self, x: Tensor, weights: Weights, at: Moment) -> Tensor:
        """Return [K, B, O, H', W'] from [K, B, I, H, W]."""
        w = weights[self.name]
        kernel = Kernel(w["weight"], w.get("bias"), self.stride, self.padding)
        return weights.convolve(self.name, x, kernel)


@dataclass(frozen=True)
class ConvTranspose(Layer):
    """A transposed convolution, every trial with its own kernels."""

    plain = True

    inputs: int
    outputs: int
    kernel: int
    stride: int = 1
    padding: int = 0
    bias: bool = True
    output_padding: int = 0  # rows added at the far edge, for odd kernels at stride 2

    def shapes(self) -> dict[str, Shape]:
        """Return weight [I, O, k, k] and, with bias, bias [O]."""
        weight = {"weight": (self.inputs, self.outputs, self.kernel, self.kernel)}
        return weight | ({"bias": (self.outputs,)} if self.bias else {})

    def fan_in(self) -> int:
        """Return O k^2, which is what torch takes for a transposed convolution."""
        return self.outputs * self.kernel**2

    def used(self, part: str, k: int) -> Shape:
        """Return the parts of all trials in a row, as a grouped convolution has them."""
        first, *rest = self.shapes()[part]
        return (k * first, *rest)

    def __call__(self, x: Tensor, weights: Weights, at: Moment) -> Tensor:
        """Return [K, B, O, H', W'] from [K, B, I, H, W]."""
        w, more = weights[self.name], self.output_padding
        kernel = Kernel(w["weight"], w.get("bias"), self.stride, self.padding, more)
        return weights.convolve(self.name, x, kernel)


@dataclass(frozen=True)
class Leaky(Layer):
    """max(slope x, x); slope 0 is ReLU."""

    plain = True

    slope: Number = 0.0

    def __call__(self, x: Tensor, weights: Weights, at: Moment) -> Tensor:
        """Return the activation, shape unchanged."""
        if callable(self.slope):
            # In the precision of x: a number in float32 would widen a pass in bfloat16.
            return torch.where(x > 0, x, x * like(self.slope(), x).to(x.dtype))
        return F.relu(x) if self.slope == 0 else F.leaky_relu(x, self.slope)


@dataclass(frozen=True)
class Apply(Layer):
    """Any function of single numbers: tanh, sigmoid, GELU, ... with no parameters and no draws."""

    plain = True

    function: Callable[[Tensor], Tensor]

    def __call__(self, x: Tensor, weights: Weights, at: Moment) -> Tensor:
        """Return function(x)."""
        return self.function(x)


@dataclass(frozen=True)
class Reshape(Layer):
    """Features [K, B, F] as images [K, B, *shape], or any sample shape as another."""

    plain = True

    shape: Shape

    def __call__(self, x: Tensor, weights: Weights, at: Moment) -> Tensor:
        """Return the same numbers in another shape."""
        lead = 2 if x.dim() % 2 else 1  # features have one axis and images three, K and B in front
        return x.reshape(*x.shape[:lead], *self.shape)


@dataclass(frozen=True)
class Resample(Layer):
    """Halve or double an image without parameters.

    `kind`: average, max, nearest, bilinear or shuffle (depth to space); `factor` 2 doubles, 0.5
    halves.
    """

    kind: str
    factor: float
    plain = True

    def __call__(self, x: Tensor, weights: Weights, at: Moment) -> Tensor:
        """Return [K, B, C, H', W']."""
        y = x.flatten(0, -4)
        if self.kind == "average":
            y = F.avg_pool2d(y, 2)
        elif self.kind == "max":
            y = F.max_pool2d(y, 2)
        elif self.kind == "shuffle":
            y = F.pixel_shuffle(y, int(self.factor))
        elif self.kind == "nearest":
            y = F.interpolate(y, scale_factor=self.factor, mode="nearest")
        else:
            y = F.interpolate(y, scale_factor=self.factor, mode="bilinear", align_corners=False)
        return y.unflatten(0, x.shape[:-3])


@dataclass(frozen=True)
class SumPool(Layer):
    """Sum over the image: [K, B, C, H, W] -> [K, B, C]."""

    plain = True

    def __call__(self, x: Tensor, weights: Weights, at: Moment) -> Tensor:
        """Return the sums."""
        return x.sum((-1, -2))


@dataclass(frozen=True)
class Residual(Layer):
    """main(x) + skip(x), each a list of layers that surgery can reach."""

    main: tuple[Layer, ...]
    skip: tuple[Layer, ...] = ()

    def leaves(self) -> Iterable[Layer]:
        """Yield the layers of both branches."""
        return (leaf for layer in (*self.main, *self.skip) for leaf in layer.leaves())

    def __call__(self, x: Tensor, weights: Weights, at: Moment) -> Tensor:
        """Return the sum of both branches."""
        main, skip = x, x
        for layer in self.main:
            main = layer(main, weights, at)
        for layer in self.skip:
            skip = layer(skip, weights, at)
        return main + skip


Network = list[Layer]
