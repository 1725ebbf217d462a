"""What the C library does with memory that a round has freed."""

import torch

BLOCK = 16 << 20  # bytes; glibc adapts to blocks of up to 32 MB


def keep_freed_memory() -> None:
    """Let glibc keep the memory that rounds free, instead of fetching it anew page by page.

    It gives the top of the heap back to the system whenever more than 128 KB of it are free, which
    a small network's round reaches and a large one's never: there a freed block of its own has
    raised the limit to twice that block (mallopt(3), M_MMAP_THRESHOLD, "dynamic"). So one is freed.
    Elsewhere this is a block allocated and freed.
    """
    torch.empty(BLOCK, dtype=torch.uint8)
