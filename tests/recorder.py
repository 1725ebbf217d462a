"""A CUDA graph without CUDA: the calls of a round, repeated at their addresses without Python."""

from __future__ import annotations

import torch
from torch.utils._python_dispatch import TorchDispatchMode


class Recorder(TorchDispatchMode):
    """Keeps every operator with the very tensors that it was given and has made.

    Repeating it computes into those tensors: a Python number, a branch or a tensor that was put in
    another's place stays what it was when the round was recorded, as in a graph of the device.
    """

    def __init__(self):
        super().__init__()
        self.calls = []

    def __torch_dispatch__(self, operator, types, args=(), kwargs=None):
        made = operator(*args, **(kwargs or {}))
        self.calls.append((operator, args, kwargs or {}, made))
        return made

    @torch.no_grad()
    def replay(self):
        """Do everything again."""
        for operator, args, kwargs, made in self.calls:
            if operator.is_view:
                continue
            again = operator(*args, **kwargs)
            for old, new in zip(tensors(made), tensors(again), strict=True):
                if new is not old:
                    torch.ops.aten.copy_.default(old.detach(), new)


def tensors(made):
    """Return the tensors that an operator has returned."""
    many = made if isinstance(made, tuple | list) else [made]
    return [x for x in many if isinstance(x, torch.Tensor)]


class Recorded:
    """Takes the place of `ladder.Cuda`."""

    def __init__(self, device):
        self.count = 0

    def __call__(self, call):
        """Return what repeats the call."""
        self.count += 1
        with Recorder() as recorder:
            call()
        return recorder.replay
