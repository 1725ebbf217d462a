"""Memory: what a round frees is kept, and whether an error says that there is none left."""

import gc
from collections.abc import Sequence
from pathlib import Path

import torch

from ablate.runner.context import named
from ablate.runner.machine import Machine, on_gpu
from ablate.trial import Trial

BLOCK = 16 << 20  # bytes; glibc adapts to blocks of up to 32 MB


def keep_freed_memory() -> None:
    """Let glibc keep the memory that rounds free, instead of fetching it anew page by page.

    It gives the top of the heap back to the system whenever more than 128 KB of it are free, which
    a small network's round reaches and a large one's never: there a freed block of its own has
    raised the limit to twice that block (mallopt(3), M_MMAP_THRESHOLD, "dynamic"). So one is freed.
    Elsewhere this is a block allocated and freed.
    """
    torch.empty(BLOCK, dtype=torch.uint8)


# What CPU and GPU allocators and their libraries say where PyTorch has no error of its own for it.
NO_MEMORY = ("DefaultCPUAllocator", "not enough memory", "out of memory", "ALLOC_FAILED")


def is_out_of_memory(error: BaseException) -> bool:
    """Return whether an error says that the device or the machine has no memory left."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    return isinstance(error, RuntimeError) and any(sign in str(error) for sign in NO_MEMORY)


def of_gpu(error: BaseException, machine: Machine) -> bool:
    """Return whether it is a GPU that has no memory left, and not the machine around it."""
    around = isinstance(error, MemoryError) or "DefaultCPUAllocator" in str(error)
    return on_gpu(machine) and not around


def no_memory(trials: Sequence[Trial], folder: Path) -> str:
    """Return the sentence for a stack that finds no room in the machine's memory."""
    return (
        f"This machine has no memory left for {named(trials)}; what is under way in {folder} keeps "
        "its checkpoints, so free some memory, with study.workers=1 for instance, and type the "
        "same command again."
    )


def release_memory() -> None:
    """Give back what a stack has held, before its halves ask for theirs."""
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
