"""Random draws that are a pure function of (seed, clock, occasion, owner, position).

There is no generator and no state: trial 7 of 16 draws exactly what it draws alone, switching a
trick on moves nobody else's draws, and a step can be replayed from any point. The hash is
splitmix64's finaliser (Steele, Lea, Flood 2014, "Fast splittable pseudorandom number generators",
OOPSLA) on signed 64-bit lanes. Integers, masks and orders are equal on every device; Gaussians may
differ between devices in the last bit of log and cos.

Legend: K trials, n numbers.
"""

from __future__ import annotations

import hashlib
import math
from functools import cache
from typing import NamedTuple

import torch
from torch import Tensor

# The constants of splitmix64, written as signed integers because torch has no unsigned 64-bit
# arithmetic.
GOLDEN, M1, M2 = -7046029254386353131, -4658895280553007687, -7723592293110705685
UNIT = 2.0**-24  # the step of a float32 mantissa: every value of `uniform` is exact on every device


def mix(h: Tensor) -> Tensor:
    """Return splitmix64's finaliser of `h`, int64 of any shape.

    `>>` keeps the sign, hence the masks; in place, because temporaries cost more than arithmetic.
    """
    h = h ^ (h >> 30).bitwise_and_(0x3FFFFFFFF)
    h = h.mul_(M1)
    h = h.bitwise_xor_((h >> 27).bitwise_and_(0x1FFFFFFFFF)).mul_(M2)
    return h.bitwise_xor_((h >> 31).bitwise_and_(0x1FFFFFFFF))


@cache
def digest(names: tuple[str, ...]) -> int:
    """Return 64 bits of a path of names."""
    found = hashlib.sha256("/".join(names).encode()).digest()
    return int.from_bytes(found[:8], "big", signed=True)


def name_key(*names: str) -> int:
    """Return 64 bits that belong to a path of names."""
    return digest(names)


def hash_bits(key: Tensor, name: int, n: int) -> Tensor:
    """Return `n` hashes for every key: int64 [...] -> int64 [..., n]."""
    # XOR the position into the key before multiplying: `arange(n) * GOLDEN` is folded into C++
    # index arithmetic by inductor, where signed overflow is undefined and corrupts the heap.
    place = torch.arange(n, device=key.device)
    return mix(((key ^ name).unsqueeze(-1) ^ place).mul_(GOLDEN))


@torch.library.custom_op("ablate::bits", mutates_args=())
def opaque_bits(key: Tensor, name: int, n: int) -> Tensor:
    """Return `hash_bits`, hidden from inductor, which would copy the hash into every consumer."""
    return hash_bits(key, name, n)


@opaque_bits.register_fake
def _(key: Tensor, name: int, n: int) -> Tensor:
    return key.new_empty((*key.shape, n))


class Moment(NamedTuple):
    """A point in a run at which draws are made.

    Attributes:
        key: int64 [...], one per trial: the hash of seed and clock.
        clock: int64 [...], rounds played so far.
        rounds: Of the whole budget.
        path: The occasion, such as ("D", "real"): one more look at D is another occasion and moves
            no other draw.
        dtype: Of the floating-point draws.
    """

    key: Tensor
    clock: Tensor
    rounds: int
    path: tuple[str, ...] = ()
    dtype: torch.dtype = torch.float32

    @classmethod
    def of(
        cls, seed: Tensor, clock: Tensor, rounds: int, dtype: torch.dtype = torch.float32
    ) -> Moment:
        """Return the moment of every trial, from int64 seeds and clocks of one shape."""
        return cls(mix(mix(seed + GOLDEN) ^ clock * GOLDEN), clock, rounds, (), dtype)

    @property
    def progress(self) -> Tensor:
        """[...] in [0, 1], the share of the budget that was played."""
        return (self.clock.to(self.dtype) / max(self.rounds, 1)).clamp(0, 1)

    def at(self, *occasion: str) -> Moment:
        """Return the same moment at a more special occasion."""
        return Moment(self.key, self.clock, self.rounds, self.path + occasion, self.dtype)

    def bits(self, owner: str, n: int) -> Tensor:
        """Return int64 [..., n] that belong to `owner` alone."""
        draw = opaque_bits if torch.compiler.is_compiling() else hash_bits
        return draw(self.key, name_key(*self.path, owner), n)

    def uniform(self, owner: str, *shape: int) -> Tensor:
        """Return [..., *shape] uniform on [0, 1), multiples of 2^-24."""
        n = math.prod(shape)
        h = self.bits(owner, (n + 1) // 2)
        halves = torch.cat((h >> 40 & 0xFFFFFF, h >> 8 & 0xFFFFFF), -1)[..., :n]
        return (halves.to(self.dtype) * UNIT).view(*self.key.shape, *shape)

    def normal(self, owner: str, *shape: int) -> Tensor:
        """Return [..., *shape] standard normal, by Box and Muller (1958)."""
        n = math.prod(shape)
        h = self.bits(owner, (n + 1) // 2)
        high, low = h.bitwise_right_shift(40), h.bitwise_right_shift_(8)
        radius = high.bitwise_and_(0xFFFFFF).to(self.dtype).add_(1).mul_(UNIT)
        radius = radius.log_().mul_(-2).sqrt_()
        angle = low.bitwise_and_(0xFFFFFF).to(self.dtype).mul_(2 * math.pi * UNIT)
        both = torch.cat((angle.cos().mul_(radius), angle.sin_().mul_(radius)), -1)
        return both[..., :n].view(*self.key.shape, *shape)

    def bernoulli(self, owner: str, p: Tensor, *shape: int) -> Tensor:
        """Return bool [..., *shape], true with the trial's own probability `p` [...]."""
        return self.uniform(owner, *shape) < p.view(*p.shape, *(1 for _ in shape))

    def below(self, owner: str, bound: int, *shape: int) -> Tensor:
        """Return int64 [..., *shape] in 0 .. bound - 1 (bias under bound / 2^32)."""
        h = self.bits(owner, math.prod(shape))
        return ((h >> 32 & 0xFFFFFFFF) * bound >> 32).view(*self.key.shape, *shape)

    def order(self, owner: str, n: int) -> Tensor:
        """Return int64 [..., n], a permutation of 0 .. n - 1 for every trial."""
        return self.bits(owner, n).argsort(-1)
