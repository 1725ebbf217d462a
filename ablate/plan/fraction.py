"""Two-level fractions: a part of all combinations, chosen so that effects can still be told apart.

The generators are those of Box, Hunter and Hunter, Statistics for Experimenters, as section
5.3.3.4.7 of the NIST/SEMATECH e-Handbook lists them. A generated factor is on where the product of
its word is; words of even length are taken with a minus, so that the reference is one of the arms.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import combinations

import numpy as np
import numpy.typing as npt

from ablate.errors import UserError
from ablate.plan.design import Arm, Factors, arm_at, two_levels, whole

GENERATORS: dict[int, tuple[str, ...]] = {  # factors -> generators, the smallest design first
    3: ("ab",),
    4: ("abc",),
    5: ("ab ac", "abcd"),
    6: ("ab ac bc", "abc bcd", "abcde"),
    7: ("ab ac bc abc", "abc bcd acd", "abcd abde", "abcdef"),
    8: ("bcd acd abc abd", "abc abd bcde", "abcd abef"),
    9: ("abc bcd acd abd abcd", "bcde acde abde abce", "abcd acef cdef", "acdfg bcefg"),
    10: ("abc bcd acd abd abcd ab", "abcd abce abde acde bcde", "bcdf acdf abde abce",
         "abcg bcde acdf"),
    11: ("abc bcd acd abd abcd ab ac", "abc bcd cde acd ade bde", "cde abcd abf bdef adef",
         "abcg bcde acdf abcdefg"),
}  # fmt: skip
NUMERALS = {3: "III", 4: "IV", 5: "V"}
HADAMARD = sorted({4, *(m * 2**e for m in (8, 12, 20) for e in range(5))})  # rows pyDOE3 has

Matrix = npt.NDArray[np.float64]  # [arms, factors] of -1 and 1


def fractional_factorial(
    factors: Factors, resolution: int = 4, runs: int | None = None
) -> list[Arm]:
    """Return the smallest listed fraction of at least this resolution.

    Args:
        factors: 3 to 11, of two levels each.
        resolution: 3 mixes tricks with pairs of others, 4 pairs with pairs, 5 neither.
        runs: Arms of the fraction, if not the fewest.

    Raises:
        UserError: There is none; the sentence says which is.
    """
    from pyDOE3 import fracfact

    two_levels(factors, "fractional_factorial")
    words = generators_of(len(factors), resolution, runs)
    base = "abcdefghijk"[: len(factors) - len(words)]
    signed = [word if len(word) % 2 else f"-{word}" for word in words]
    return arms_of(factors, fracfact(" ".join([*base, *signed])))


def plackett_burman(factors: Factors) -> list[Arm]:
    """Return the smallest design in which all main effects are orthogonal.

    Raises:
        UserError: A factor has more than two levels.
    """
    from pyDOE3 import pbdesign

    two_levels(factors, "plackett_burman")
    if len(factors) >= HADAMARD[-1]:
        raise UserError(f"plackett_burman takes up to {HADAMARD[-1] - 1} factors.")
    rows = min(n for n in HADAMARD if n > len(factors))
    # The last row of pyDOE3's has every factor on: turned over, the reference comes first.
    return arms_of(factors, -pbdesign(rows - 1)[::-1, : len(factors)])


def generators_of(n: int, resolution: int, runs: int | None) -> list[str]:
    """Return the words of the smallest listed fraction of n factors that is fine enough.

    Raises:
        UserError: There is none.
    """
    if resolution not in NUMERALS:
        raise UserError(f"study.resolution={resolution} is none; type 3, 4 or 5.")
    if runs is not None:
        whole("runs", runs, 1)
    known = {2 ** (n - len(w)): w for w in (text.split() for text in GENERATORS.get(n, ()))}
    enough = {size: w for size, w in known.items() if resolution_of(w, n) >= resolution}
    if not enough:
        raise UserError(no_fraction(n, resolution))
    if runs is None:
        return enough[min(enough)]
    if runs not in enough:
        sizes = " or ".join(f"study.runs={size}" for size in sorted(enough))
        raise UserError(
            f"study.runs={runs} is no fraction of {n} factors with resolution "
            f"{NUMERALS[resolution]}; the smallest has {min(enough)} arms: type {sizes}."
        )
    return enough[runs]


def no_fraction(n: int, resolution: int) -> str:
    """Return what to type instead of a fraction that is not listed."""
    if n > max(GENERATORS):
        rows = min(rows for rows in HADAMARD if rows > n)
        return (
            f"Fractions are listed for up to {max(GENERATORS)} factors, and this study has {n}; "
            f"type study.design=plackett_burman, which takes {rows} arms, or name fewer in "
            "study.tricks."
        )
    least = min(k for k, texts in GENERATORS.items()
                if any(resolution_of(t.split(), k) >= resolution for t in texts))  # fmt: skip
    return (
        f"{n} factor{'s' * (n > 1)} cannot have a fraction of resolution {NUMERALS[resolution]}, "
        f"which begins at {least}; the smallest design that works is study.design=full_factorial "
        f"with {2**n} arms."
    )


def resolution_of(words: Sequence[str], n: int) -> int:
    """Return the length of the shortest word in the defining relation of a fraction.

    Args:
        words: Of the generated factors.
        n: All factors.
    """
    first = n - len(words)
    bits = [sum(1 << ord(c) - 97 for c in w) | 1 << first + i for i, w in enumerate(words)]
    products = [0]
    for word in bits:
        products += [word ^ other for other in products]
    return min(product.bit_count() for product in products[1:])


def arms_of(factors: Factors, matrix: Matrix) -> list[Arm]:
    """Return an arm for each row, sorted so that the reference comes first; -1 is a first level."""
    rows = sorted(tuple(row > 0) for row in matrix)
    levels = [{f: factors[f][int(x)] for f, x in zip(factors, row, strict=True)} for row in rows]
    return [arm_at(factors, one) for one in levels]


def columns(factors: Factors, arms: Iterable[Arm]) -> Matrix:
    """Return the matrix of arms: -1 where a factor is at its first level, 1 elsewhere."""
    return np.array(
        [[-1.0 if a.levels[f] == factors[f][0] else 1.0 for f in factors] for a in arms]
    )


def aliases(factors: Factors, arms: Sequence[Arm]) -> list[list[str]]:
    """Return the groups of effects that have the same column over all arms, lower orders first.

    Up to three-way interactions, in more than eleven factors up to pairs. What is estimated is the
    sum of a group; a minus stands before a name whose column is the first one's with the sign
    changed. The reference, with every factor at -1, tells that by the parity of the order.
    """
    x, names = columns(factors, arms), list(factors)
    orders = (1, 2, 3) if len(names) <= max(GENERATORS) else (1, 2)
    groups: dict[bytes, list[tuple[int, ...]]] = {}
    for effect in (e for order in orders for e in combinations(range(len(names)), order)):
        column = x[:, effect].prod(axis=1)
        groups.setdefault((column * column[0]).tobytes(), []).append(effect)
    return [
        ["-" * ((len(e) - len(group[0])) % 2) + ":".join(names[i] for i in e) for e in group]
        for group in groups.values()
        if len(group) > 1
    ]
