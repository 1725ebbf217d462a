"""The rungs of the ladder: a round as Python plays it, compiled, or replayed as one CUDA graph.

A rung is the machine's business, like a device: it changes a result in the last digits and no
trial's identity. Each is rehearsed on the stack that it is for and left where it ends elsewhere
than the eager round, so that a run goes on, slower, where a compiler or a driver is at fault.

Legend: K trials.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Protocol

import torch
from torch import Tensor

from ablate.core.rng import name_key
from ablate.core.step import Gan
from ablate.core.turn import Round

CHOICES = ("auto", "eager", "compiled", "graph")
# Trial-rounds for every distinct round: with fewer, compiling for about a minute costs more than
# the tens of microseconds that a compiled trial-round saves. Reckoned, not measured.
PAYS = 1_000_000
PERIODS = 2  # of a rehearsal: the second sees what the first has written
# Of the way that parameters have moved. Adam turns the rounding of a gradient near zero into a
# whole step, so that forms of one arithmetic part by this much within a few rounds.
NEAR = {False: 0.01, True: 0.1}  # float32, bfloat16
ROUNDING = 1e-4  # of its size: what a number that hardly moves may be off
PROGRAMS = 1 << 16
WARM = 2  # rounds before a capture: libraries allocate and choose in the first ones


class Play(Protocol):
    """`Gan.play`, on any rung."""

    def __call__(self, stages: Round) -> None:
        """Play one round."""


def climb(gan: Gan, rung: str) -> tuple[Play, str]:
    """Return what plays the rounds of a stack, and why it is lower than asked for.

    Args:
        gan: On its device, its convolutions in their forms; left as it was.
        rung: Of `CHOICES`. A graph is one of the compiled round where that can be had.

    Returns:
        What to call in place of `gan.play`; one sentence, empty where nothing failed.
    """
    play, reached, failed = gan.play, "eager", list[str]()
    for name in wanted(gan, rung):
        start = Snapshot(gan)
        try:
            higher = RUNGS[name](gan, play)
            gap = rehearse(gan, higher)
        except Exception as error:  # of a compiler or a driver: any kind
            failed.append(f"{name} raised {first_line(error)}")
            start.restore()
            continue
        if gap < NEAR[gan.mixed]:
            play, reached = higher, name
        else:
            failed.append(f"{name} ended {gap:.2g} of the way off eager")
    return play, f"Rounds were played {reached}: {' and '.join(failed)}." if failed else ""


def wanted(gan: Gan, rung: str) -> list[str]:
    """Return the rungs above eager that are tried, each on top of those before it that held."""
    if rung != "auto":
        return {"eager": [], "compiled": ["compiled"], "graph": ["compiled", "graph"]}[rung]
    if not gan.feed.clock.is_cuda:
        return []  # compiling takes longer than most runs, and eager is the textbook bit for bit
    feed = gan.feed
    left = (feed.rounds - feed.played) * len(feed.seed)
    return ["compiled", "graph"] if left >= PAYS * len(set(gan.rounds)) else ["graph"]


def first_line(error: Exception) -> str:
    """Return an error in one line without a full stop."""
    return f"{type(error).__name__}: {error}".strip().splitlines()[0].rstrip(".: ")


# -- the rungs -------------------------------------------------------------------------------------


def compiled(gan: Gan, backend: str = "inductor") -> Play:
    """Return `gan.play`, compiled whole: penalties' second gradients are inside the same graph.

    Compiling G or D alone would refuse, or silently lose, a gradient of a gradient.
    """
    import torch._dynamo

    from ablate.train.inductor import mend

    mend()
    torch._dynamo.config.trace_autograd_ops = True
    # Every stack of a process is another program of one function; dynamo gives up at the ninth.
    torch._dynamo.config.recompile_limit = PROGRAMS
    torch._dynamo.config.accumulated_recompile_limit = PROGRAMS
    torch.compiler.assume_constant_result(name_key)  # sha256 is no tensor code
    return torch.compile(gan.play, fullgraph=True, dynamic=False, backend=backend)


def captured(gan: Gan, play: Play) -> Play:
    """Return what replays a graph of `play` for every distinct round.

    A graph repeats the calls that the device was given, at the same addresses and without Python;
    all that a stack knows is in buffers that are written in place. The stack is left as it was.
    """
    capture, programs, start = Cuda(gan.feed.clock.device), {}, Snapshot(gan)
    for stages in dict.fromkeys(gan.rounds):
        gan.feed.refill()
        programs[stages] = capture(partial(play, stages))
        start.restore()
    return lambda stages: programs[stages]()


RUNGS: dict[str, Callable[[Gan, Play], Play]] = {
    "compiled": lambda gan, _: compiled(gan),
    "graph": captured,
}


class Cuda:
    """Captures calls as CUDA graphs that share memory: they never run at the same time.

    Warm-up and capture take one stream of their own, as libraries keep a workspace a stream; it
    stays alive with the graphs.
    """

    def __init__(self, device: torch.device) -> None:
        self.stream, self.pool = torch.cuda.Stream(device), torch.cuda.graph_pool_handle()

    def __call__(self, call: Callable[[], None]) -> Callable[[], None]:
        """Return what replays the call."""
        here, graph = torch.cuda.current_stream(self.stream.device), torch.cuda.CUDAGraph()
        self.stream.wait_stream(here)
        with torch.cuda.stream(self.stream):
            for _ in range(WARM):
                call()
        here.wait_stream(self.stream)
        with torch.cuda.graph(
            graph, pool=self.pool, stream=self.stream, capture_error_mode="thread_local"
        ):
            call()
        return partial(self.replay, graph)

    def replay(self, graph: torch.cuda.CUDAGraph) -> None:
        """Run a graph on the stream that is current."""
        graph.replay()


# -- the rehearsal ---------------------------------------------------------------------------------


class Snapshot:
    """Everything that rounds of a stack may write, to be put back at the same addresses."""

    def __init__(self, gan: Gan) -> None:
        self.buffers = dict(gan.named_buffers())
        # Nobody writes the data, which may be large.
        self.before = {n: b.clone() for n, b in self.buffers.items() if not n.startswith("pixels.")}
        self.host = [(m, {**vars(m)}, {**m._buffers}) for m in gan.modules()]

    @torch.no_grad()
    def restore(self) -> None:
        """Put everything back."""
        for module, attributes, buffers in self.host:
            vars(module).update(attributes)
            module._buffers.update(buffers)
        for name, before in self.before.items():
            self.buffers[name].copy_(before)


def rehearse(gan: Gan, play: Play) -> float:
    """Return how far from eager a rung ends, as a share of the way that the rounds have moved it.

    Every distinct round is played; the stack is left as it was.
    """
    start = Snapshot(gan)
    rehearsed(gan, gan.play)
    eager = Snapshot(gan).before
    start.restore()
    rehearsed(gan, play)
    found = Snapshot(gan).before
    start.restore()
    return max(off(found[name], eager[name], start.before[name]) for name in eager)


def rehearsed(gan: Gan, play: Play) -> None:
    """Play every distinct round twice."""
    for _ in range(PERIODS):
        for stages in dict.fromkeys(gan.rounds):
            gan.feed.refill()
            play(stages)
            gan.feed.count()


def off(found: Tensor, eager: Tensor, start: Tensor) -> float:
    """Return the mean distance of two ends over that from the start; of integers 0 or infinite.

    Numbers that are NaN in both are equal.
    """
    if not found.is_floating_point():
        return 0.0 if torch.equal(found, eager) else float("inf")
    same = found.eq(eager) | (found.isnan() & eager.isnan())
    gap = (found - eager).abs().masked_fill(same, 0).mean()
    way = (eager - start).abs().nanmean() + ROUNDING * eager.abs().nanmean()
    value = float(gap / way) if gap else 0.0
    return float("inf") if math.isnan(value) else value
