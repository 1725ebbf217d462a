"""Whether something fits into the memory of this machine, asked before it is made."""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import lru_cache

from ablate.errors import UserError

UNITS = ("bytes", "kB", "MB", "GB", "TB", "PB")


@lru_cache
def memory_bytes() -> int:
    """Return the memory of this machine."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def unfit(typed: str, needed: int) -> Iterator[str]:
    """Yield the sentence for what needs more bytes than there are.

    Args:
        typed: What asks for it, as it was typed.
        needed: Bytes, at least.
    """
    if needed > memory_bytes():
        yield (
            f"{typed} needs {told(needed)} of memory, and this machine has {told(memory_bytes())}; "
            "type a smaller number."
        )


def check_fits(typed: str, needed: int) -> None:
    """Refuse what does not fit.

    Raises:
        UserError: As `unfit` says.
    """
    for sentence in unfit(typed, needed):
        raise UserError(sentence)


def told(count: int) -> str:
    """Return bytes in words of two or three digits."""
    power = min((len(str(count)) - 1) // 3, len(UNITS) - 1)
    short = count / 1000**power
    digits = f"{short:,.0f}" if short >= 10 or not power else f"{short:.2g}"
    return f"{digits} {UNITS[power]}"
