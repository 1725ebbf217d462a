"""Which form of a convolution is the fastest here: timed once for every shape, and remembered.

A form is the machine's business, like a device: it changes a result in the last digits and no
trial's identity.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ablate.core.convolution import FORMS, Kernel, convolve
from ablate.core.layers import Shape
from ablate.core.net import Net
from ablate.core.step import Gan
from ablate.disk import replace_file, sealed, telling_disk_errors, unsealed
from ablate.trial import canonical

TIMED = "timed"
CHOICES = ("auto", TIMED, *FORMS)
PATCHES = 1 << 17  # numbers, 0.5 MB in float32
REPEATS = 3  # of which the fastest counts


def set_forms(gan: Gan, operator: str, cache: Path) -> None:
    """Give every convolution of a stack its form.

    Args:
        gan: On its device.
        operator: Of `CHOICES`; auto is "timed" on a GPU. On a CPU it is a rule, so that a study
            gives the same bits wherever its timings would be close.
        cache: Where timings are remembered.
    """
    if len(gan.feed.seed) == 1:
        return  # an ordinary convolution in any form
    if operator == "auto" and gan.feed.clock.is_cuda:
        operator = TIMED
    shown = list(asked(gan))
    timings = fastest(gan, [case for _, _, case in shown], cache) if operator == TIMED else {}
    for net, layer, case in shown:
        by_rule = by_size(*case) if operator == "auto" else operator
        net.forms[layer] = timings.get(key_of(gan, *case), by_rule)


Case = tuple[Shape, Kernel]


def by_size(shape: Shape, kernel: Kernel) -> str:
    """Return "matmul" where the patches of a trial stay in a core's cache, else "grouped"."""
    _, batch, _, *sides = shape
    size = kernel.weight.shape[-1]
    if kernel.more is None:  # patches are cut out of the input, else they are added to the output
        sides = [(n + 2 * kernel.padding - size) // kernel.stride + 1 for n in sides]
    patch = math.prod(kernel.weight.shape[1:])
    return "matmul" if patch * batch * math.prod(sides) <= PATCHES else "grouped"


@torch.no_grad()
def asked(gan: Gan) -> Iterator[tuple[Net, str, Case]]:
    """Yield every convolution of a round: its network, its layer's name, what it is given."""
    at = gan.feed.start
    x = gan.tricks.latent(at.normal("latent", gan.recipe.batch_size, gan.recipe.latent_dim), at)
    for net in (gan.G, gan.D):
        weights = net.open(net.theta)
        weights.seen = {}
        with gan.precision():
            x = net(weights, x, at).value.to(x.dtype)
        if net is gan.G:
            x = gan.tricks.view(x, at)
        for layer, case in weights.seen.items():
            yield net, layer, case


def fastest(gan: Gan, cases: Sequence[Case], cache: Path) -> dict[str, str]:
    """Return key -> form, from the cache or timed now."""
    device = gan.feed.clock.device
    place = torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu"
    path = cache / "operators" / f"{'-'.join(place.split())}-torch-{torch.__version__}.json"
    known = remembered(path)
    found = {key: known[key] for case in cases if (key := key_of(gan, *case)) in known}
    for shape, kernel in cases:
        key = key_of(gan, shape, kernel)
        if key not in found:
            seconds = {form: timed(gan, shape, kernel, form) for form in FORMS}
            found[key] = min(seconds, key=seconds.__getitem__)
    if found.keys() - known.keys():
        with telling_disk_errors(cache):
            replace_file(path, sealed(known | found))
    return found


def remembered(path: Path) -> dict[str, str]:
    """Return what was timed before; nothing where that is not what was written."""
    try:
        return unsealed(path.read_bytes())
    except (FileNotFoundError, ValueError):
        return {}


def key_of(gan: Gan, shape: Shape, kernel: Kernel) -> str:
    """Return what the time of a convolution depends on."""
    told: dict[str, Any] = {
        "x": list(shape),
        "weight": list(kernel.weight.shape),
        "rest": [kernel.bias is not None, kernel.stride, kernel.padding, kernel.more],
        "precision": "mixed" if gan.mixed else str(kernel.weight.dtype),
        "channels_last": gan.D.channels_last,
        "twice": is_twice(gan),
    }
    return canonical(told)


def is_twice(gan: Gan) -> bool:
    """Return whether a penalty may ask for the gradient of a gradient."""
    return gan.tricks.plays("penalty")


def timed(gan: Gan, shape: Shape, kernel: Kernel, form: str) -> float:
    """Return the seconds of a convolution with its gradients, the fastest of some."""
    x = torch.randn(shape, device=kernel.weight.device, dtype=kernel.weight.dtype)
    weight = kernel.weight.detach().clone().requires_grad_()
    x.requires_grad_()
    best = float("inf")
    for _ in range(REPEATS + 1):  # the first one warms up, and is never the fastest
        start = now(x)
        with gan.precision(), torch.enable_grad():
            y = convolve(x, kernel._replace(weight=weight), form, gan.D.channels_last)
            grads = torch.autograd.grad(
                y, (x, weight), torch.ones_like(y), create_graph=is_twice(gan)
            )
            if is_twice(gan):
                torch.autograd.grad(grads[0].square().sum(), weight)
        best = min(best, now(x) - start)
    return best


def now(x: Tensor) -> float:
    """Return the time after all work of the device, in s."""
    if x.is_cuda:
        torch.cuda.synchronize(x.device)
    return time.perf_counter()
