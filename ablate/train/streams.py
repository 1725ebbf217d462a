"""Several stacks at once in one process: each takes its turn to play a round.

A GPU is told what to do faster than it does it, and a small stack fills little of it; on streams of
their own, rounds of several stacks overlap. One thread tells them all: nothing is captured or
compiled while another one plays.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import TypeVar

import torch

T = TypeVar("T")
Rounds = Generator[None, None, T]  # rests after every round, and returns what came of them


def to_end(rounds: Rounds[T]) -> T:
    """Play on without a rest; return what came of it."""
    while True:
        try:
            next(rounds)
        except StopIteration as end:
            value: T = end.value
            return value


def take_turns(stacks: Iterator[Rounds[T]], at_once: int, device: str) -> Iterator[T]:
    """Play stacks, some at once; yield what came of each as it ends.

    Args:
        stacks: Not begun; the next one is asked for when there is room.
        at_once: How many take turns.
        device: Theirs; on a GPU each has a stream, which the next one takes over.
    """
    free = [stream_on(device) for _ in range(at_once)]
    playing: list[tuple[Rounds[T], AbstractContextManager[object]]] = []
    try:
        while True:
            while free and (rounds := next(stacks, None)) is not None:
                playing.append((rounds, free.pop()))
            if not playing:
                return
            for one in list(playing):
                rounds, stream = one
                try:
                    with stream:
                        next(rounds)
                except StopIteration as end:
                    playing.remove(one)
                    free.append(stream)
                    yield end.value
    finally:
        for rounds, _ in playing:
            rounds.close()  # gives back what it holds


def stream_on(device: str) -> AbstractContextManager[object]:
    """Return the context in which a stack of its own stream is told what to do."""
    if not device.startswith("cuda"):
        return nullcontext()
    torch.cuda.synchronize(device)  # what stacks share was made on another stream: be done with it
    return torch.cuda.stream(torch.cuda.Stream(device))
