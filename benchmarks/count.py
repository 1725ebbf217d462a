"""Kernels and host syncs of a step, counted and not timed: neither may grow with K.

    python -m benchmarks.count [--only mlp dc8 mlp-gp dc8-gp] [--trials 1 8 64] [--device cuda]
    [--forms eager compiled graph]

A step is what is played between two draws of the feed, which makes its numbers for many steps at
once and is counted apart. On a CPU kernels are the operators that compute something (views and
allocations do not), and for a compiled step the calls in inductor's program; on CUDA they are what
the profiler saw on the device. A sync is a moment at which the host waits for a number: an operator
that returns one, or that must know one for the shape of its output; on CUDA what torch's own sync
debug mode reports.

Legend: K trials.
"""

from __future__ import annotations

import argparse
import re
import warnings
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import torch
from torch.utils._python_dispatch import TorchDispatchMode

from benchmarks.interleave import wait
from benchmarks.workload import FORMS, Workload, forms_on

FREE = ("empty", "_unsafe_view", "_reshape_alias")  # no numbers are touched
# One line of inductor's program that starts a kernel, its own or a library's.
CALL = re.compile(r"^\s+(?:\w+ = )?(?:cpp_fused\w*\(|extern_kernels\.|torch\.ops\.)", re.MULTILINE)


class Count(NamedTuple):
    """Of one step, and of a refill of the feed.

    Attributes:
        kernels: In a step, for every distinct round of the schedule.
        refill: In a refill.
        syncs: In a step and in a refill together.
        bytes: Of memory at the peak, a trial; of a CPU unknown.
    """

    kernels: tuple[int, ...]
    refill: int
    syncs: int
    bytes: int = 0


class Operators(TorchDispatchMode):
    """Counts the operators that reach a backend."""

    def __init__(self) -> None:
        super().__init__()
        self.kernels = self.syncs = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        self.kernels += computes(func)
        self.syncs += waits(func, args)
        return func(*args, **(kwargs or {}))


def computes(func: Any) -> bool:
    """Return whether an operator touches numbers: it is neither a view nor an allocation."""
    view = any(r.alias_info and not r.alias_info.is_write for r in func._schema.returns)
    return not view and not func._schema.name.split("::")[1].startswith(FREE)


def waits(func: Any, args: Sequence[Any]) -> bool:
    """Return whether the host must know a number for it."""
    if func is torch.ops.aten.index.Tensor:  # by a mask it must count, by rows it need not
        return any(i is not None and i.dtype in (torch.bool, torch.uint8) for i in args[1])
    tags = {torch.Tag.data_dependent_output, torch.Tag.dynamic_output_shape}
    return bool(tags & set(func.tags))


def on_cpu(call: Callable[[], Any]) -> tuple[int, int]:
    """Return the kernels and syncs of a call."""
    with Operators() as seen:
        call()
    return seen.kernels, seen.syncs


def on_cuda(call: Callable[[], Any]) -> tuple[int, int]:
    """Return the kernels and syncs of a call; what it compiles must be compiled."""
    from torch.profiler import ProfilerActivity, profile

    torch.cuda.set_sync_debug_mode("warn")
    try:
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            call()
    finally:
        torch.cuda.set_sync_debug_mode("default")
    torch.cuda.synchronize()
    with profile(activities=[ProfilerActivity.CUDA]) as seen:
        call()
        torch.cuda.synchronize()
    device = torch.autograd.DeviceType.CUDA
    kernels = sum(e.device_type == device for e in seen.events())
    return kernels, sum("synchroniz" in str(w.message) for w in told)


def counted(workload: Workload, trials: int, form: str, device: str = "cpu") -> Count:
    """Return the counts of a stack."""
    cuda = device.startswith("cuda")
    if cuda:
        torch.cuda.reset_peak_memory_stats()
    gan = workload.stack(range(trials), device)
    play, count = FORMS[form](gan), on_cuda if cuda else on_cpu
    gan.feed.refill()
    kernels, syncs = [], 0
    for stages in dict.fromkeys(gan.rounds):
        if form != "eager" and not cuda:
            found = program(play, stages), 0
        else:
            play(stages)  # compiles
            wait(device)
            found = count(lambda: play(stages))  # noqa: B023
        kernels.append(found[0])
        syncs += found[1]
    gan.feed.left = 0
    refill, waited = count(gan.feed.refill)
    peak = torch.cuda.max_memory_allocated() if cuda else 0
    return Count(tuple(kernels), refill, syncs + waited, peak // trials)


def program(play: Callable[..., Any], stages: Any) -> int:
    """Return how many kernels inductor's program for a CPU starts."""
    from torch._inductor.utils import run_and_get_code

    _, sources = run_and_get_code(play, stages)
    return sum(len(CALL.findall(source.split("def call")[-1])) for source in sources)


def told(count: Count) -> str:
    kernels = " | ".join(map(str, count.kernels))
    memory = f", {count.bytes / 2**20:.0f} MiB a trial" if count.bytes else ""
    return f"{kernels:>5} kernels a step, {count.refill} a refill, {count.syncs} syncs{memory}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    names = ("mlp", "mlp-gp", "dc8", "dc8-gp")
    parser.add_argument("--only", nargs="+", type=Workload.of, default=[*map(Workload.of, names)])
    parser.add_argument("--trials", nargs="+", type=int, default=[1, 8, 64])
    parser.add_argument("--forms", nargs="+", choices=FORMS)
    parser.add_argument("--device", default="cpu")
    args = parser.parse_args()
    good = True
    for workload in args.only:
        for form in args.forms or forms_on(args.device):
            found = {k: counted(workload, k, form, args.device) for k in args.trials}
            print(f"{workload.name}, {form}, {args.device}")
            for k, count in found.items():
                print(f"  K = {k:<4} {told(count)}")
            grows, syncs = holds(found)
            good &= not grows and not syncs
            print(f"  kernels grow with K: {'YES' if grows else 'no'}; "
                  f"host syncs: {'YES' if syncs else 'none'}", flush=True)  # fmt: skip
    return int(not good)


def holds(found: dict[int, Count]) -> tuple[bool, bool]:
    """Return whether kernels grow between stacks (one trial alone is its own case), and any sync.

    A trial alone runs without the trial axis, by other operators than a stack.
    """
    stacks = {count.kernels for k, count in found.items() if k > 1}
    return len(stacks) > 1, any(count.syncs for count in found.values())


if __name__ == "__main__":
    raise SystemExit(main())
