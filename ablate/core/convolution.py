"""Convolutions of K trials at once, every trial with kernels of its own: one sum in three forms.

"grouped" is one convolution with a group a trial. Its second gradient loops over the groups in
ATen, so under a gradient penalty the number of kernels grows with K. "matmul" lays every patch out
as a column and takes one batched product (Chellapilla, Puri, Simard 2006, "High performance
convolutional neural networks for document processing", section 2.1); derivatives of any order are
products and patches again, as many for 64 trials as for 2. "separate" is a convolution a trial.

Legend: K trials, B batch, I in, O out, H W image, h w image of the other side, k kernel.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor


class Kernel(NamedTuple):
    """What a convolution does.

    Attributes:
        weight: Of all trials in a row: [K*O, I, k, k], transposed [K*I, O, k, k].
        bias: [K*O], or None.
        stride: In both directions.
        padding: At all four edges.
        more: Rows that a transposed convolution adds at the far edges; None: not transposed.
    """

    weight: Tensor
    bias: Tensor | None
    stride: int
    padding: int
    more: int | None = None


def convolve(
    x: Tensor, kernel: Kernel, form: str = "grouped", channels_last: bool = False
) -> Tensor:
    """Return [K, B, O, h, w] from [K, B, I, H, W]; of one trial also without K in front.

    Args:
        x: Images.
        kernel: Of all trials.
        form: Of `FORMS`; one trial alone is always an ordinary convolution.
        channels_last: Lay "grouped" images out so in memory: speed, not meaning.
    """
    if x.dim() == 4 or len(x) == 1 or form == "grouped":
        return grouped(x, kernel, channels_last)
    return FORMS[form](x, kernel)


def grouped(x: Tensor, kernel: Kernel, channels_last: bool = False) -> Tensor:
    """Return one convolution of [B, K*I, H, W], a group a trial."""
    groups = len(x) if x.dim() == 5 else 1
    return unpack(plain(pack(x, channels_last), kernel, groups), x)


def plain(x: Tensor, kernel: Kernel, groups: int = 1) -> Tensor:
    """Return torch's convolution [B, O, h, w] of [B, I, H, W]."""
    weight, bias, stride, padding, more = kernel
    if more is None:
        return F.conv2d(x, weight, bias, stride, padding, groups=groups)
    return F.conv_transpose2d(x, weight, bias, stride, padding, more, groups=groups)


def separate(x: Tensor, kernel: Kernel) -> Tensor:
    """Return a convolution a trial."""
    k = len(x)
    weights = kernel.weight.chunk(k)
    biases = [None] * k if kernel.bias is None else kernel.bias.chunk(k)
    parts = zip(x, weights, biases, strict=True)
    return torch.stack([plain(x, kernel._replace(weight=w, bias=b)) for x, w, b in parts])


def matmul(x: Tensor, kernel: Kernel) -> Tensor:
    """Return one batched product of kernels and patches."""
    return patched(x, kernel) if kernel.more is None else spread(x, kernel, kernel.more)


def patched(x: Tensor, kernel: Kernel) -> Tensor:
    """Return the convolution: kernels [K, O, I k k] times patches [K, I k k, B h w]."""
    (k, b, *_), size = x.shape, kernel.weight.shape[-1]
    rows = kernel.weight.view(k, -1, kernel.weight[0].numel())
    x = F.pad(x, (kernel.padding,) * 4)
    if x.shape[3:] == (size, size):  # one patch, the image itself: nothing to lay out
        return plus(kernel.bias, x.flatten(2), rows.transpose(1, 2), 2).view(k, b, -1, 1, 1)
    x = x.unfold(3, size, kernel.stride).unfold(4, size, kernel.stride)  # [K, B, I, h, w, k, k]
    h, w = x.shape[3:5]
    columns = x.permute(0, 2, 5, 6, 1, 3, 4).reshape(k, -1, b * h * w)
    return plus(kernel.bias, rows, columns, 1).view(k, -1, b, h, w).transpose(1, 2)


def plus(bias: Tensor | None, a: Tensor, b: Tensor, axis: int) -> Tensor:
    """Return the product a b of every trial, plus its biases [K*O] along an axis of it."""
    if bias is None:
        return torch.bmm(a, b)
    return torch.baddbmm(bias.view(len(a), -1).unsqueeze(3 - axis), a, b)


def spread(x: Tensor, kernel: Kernel, more: int) -> Tensor:
    """Return the transposed convolution: patches that are summed where they overlap."""
    (k, b, i, h, w), (o, size) = x.shape, kernel.weight.shape[1:3]
    sides = tuple((n - 1) * kernel.stride - 2 * kernel.padding + size + more for n in (h, w))
    rows = kernel.weight.view(k, i, -1)
    if h == w == 1 and kernel.padding == more == 0:  # one patch, the image
        y = torch.bmm(x.flatten(2), rows)
    else:
        patches = torch.bmm(rows.transpose(1, 2), x.transpose(1, 2).reshape(k, i, b * h * w))
        patches = patches.view(k, -1, b, h * w).transpose(1, 2).flatten(0, 1)  # [K B, O k k, h w]
        y = F.fold(patches, sides, size, padding=kernel.padding, stride=kernel.stride)
    y = y.view(k, b, o, *sides)
    return y if kernel.bias is None else y + kernel.bias.view(k, 1, o, 1, 1)


def pack(x: Tensor, channels_last: bool = False) -> Tensor:
    """Return images [K, B, C, H, W] as [B, K*C, H, W]; no copy where x came out of `unpack`."""
    if x.dim() == 5:
        k, b, c, h, w = x.shape
        x = x.view(b, c, h, w) if k == 1 else x.transpose(0, 1).reshape(b, k * c, h, w)
    y = x
    return y.contiguous(memory_format=torch.channels_last) if channels_last else y


def unpack(x: Tensor, like: Tensor) -> Tensor:
    """Return [B, K*C, H, W] with the axes of `like`, [K, B, C, H, W] or [B, C, H, W]; a view."""
    if like.dim() == 4:
        return x
    (b, kc, h, w), k = x.shape, len(like)
    return x.unsqueeze(0) if k == 1 else x.view(b, k, kc // k, h, w).transpose(0, 1)


FORMS = {"grouped": grouped, "matmul": matmul, "separate": separate}
