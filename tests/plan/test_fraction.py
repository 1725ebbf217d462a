"""Fractions against laws of their own and against pyDOE3's aliases."""

from itertools import combinations

import numpy as np
import pytest
from pyDOE3 import fracfact_aliasing

from ablate.errors import UserError
from ablate.plan.fraction import (
    GENERATORS,
    aliases,
    columns,
    fractional_factorial,
    plackett_burman,
    resolution_of,
)

FRACTIONS = [(n, text) for n, texts in GENERATORS.items() for text in texts]
# The fewest arms by factors and resolution, as the e-Handbook's table has them.
FEWEST = {
    3: {3: 4}, 4: {3: 8, 4: 8}, 5: {3: 8, 4: 16, 5: 16}, 6: {3: 8, 4: 16, 5: 32},
    7: {3: 8, 4: 16, 5: 64}, 8: {3: 16, 4: 16, 5: 64}, 9: {3: 16, 4: 32, 5: 128},
    10: {3: 16, 4: 32, 5: 128}, 11: {3: 16, 4: 32, 5: 128},
}  # fmt: skip


def factors(n):
    return {chr(ord("A") + i): ["off", "on"] for i in range(n)}


def matrix(n, design, **options):
    return columns(factors(n), design(factors(n), **options))


def measured_resolution(x):
    """Return the fewest columns whose product is the same in every arm."""
    n = x.shape[1]
    for size in range(1, n + 1):
        for chosen in combinations(range(n), size):
            if len(set(x[:, chosen].prod(axis=1))) == 1:
                return size
    return n + 1


@pytest.mark.parametrize(("n", "text"), FRACTIONS)
def test_a_listed_fraction_has_the_resolution_that_is_computed_for_it(n, text):
    words = text.split()
    runs = 2 ** (n - len(words))
    resolution = resolution_of(words, n)
    x = matrix(n, fractional_factorial, resolution=min(5, resolution), runs=runs)
    assert x.shape == (runs, n)
    assert len(np.unique(x, axis=0)) == runs
    assert (x[0] == -1).all()
    assert measured_resolution(x) == resolution


@pytest.mark.parametrize(
    ("n", "resolution"), [(n, r) for n, sizes in FEWEST.items() for r in sizes]
)
def test_effects_that_a_resolution_promises_to_part_are_orthogonal(n, resolution):
    x = matrix(n, fractional_factorial, resolution=resolution)
    assert len(x) == FEWEST[n][resolution]
    pairs = np.array([x[:, c].prod(axis=1) for c in combinations(range(n), 2)]).T
    np.testing.assert_array_equal(x.T @ x, len(x) * np.eye(n))  # balanced and orthogonal
    np.testing.assert_array_equal(x.sum(axis=0), 0)
    if resolution >= 4:
        np.testing.assert_array_equal(x.T @ pairs, 0)
    if resolution >= 5:
        np.testing.assert_array_equal(pairs.T @ pairs, len(x) * np.eye(pairs.shape[1]))


def test_six_tricks_in_sixteen_arms_are_aliased_as_derived_by_hand():
    found = aliases(factors(6), fractional_factorial(factors(6)))
    pairs = [group for group in found if group[0].count(":") == 1]
    by_hand = "AB=CE AC=BE AD=EF AE=BC=DF AF=DE BD=CF BF=CD"  # E=ABC, F=BCD
    expected = {frozenset(":".join(two) for two in g.split("=")) for g in by_hand.split()}
    assert {frozenset(group) for group in pairs} == expected
    mains = [group for group in found if ":" not in group[0]]
    assert ["A", "B:C:E", "D:E:F"] in mains
    assert all(name.count(":") == 2 for group in mains for name in group[1:])


@pytest.mark.parametrize("n", range(3, 10))
def test_aliases_are_those_that_pydoe3_finds(n):
    arms = fractional_factorial(factors(n), resolution=3)
    x = columns(factors(n), arms)
    # With the reference at +1 no product of columns has its sign changed, so theirs need no minus.
    groups = [words.upper().split(" = ") for words in fracfact_aliasing(-x)[0]]
    theirs = [{":".join(word) for word in words if len(word) <= 3} for words in groups]
    ours = [{name.removeprefix("-") for name in group} for group in aliases(factors(n), arms)]
    assert sorted(map(sorted, ours)) == sorted(sorted(g) for g in theirs if len(g) > 1)


@pytest.mark.parametrize("n", [3, 5, 7, 8, 11, 15, 19, 23, 26, 27, 31, 47])
def test_plackett_burman_is_balanced_and_orthogonal_and_holds_the_reference(n):
    x = matrix(n, plackett_burman)
    np.testing.assert_array_equal(x.T @ x, len(x) * np.eye(n))
    np.testing.assert_array_equal(x.sum(axis=0), 0)
    assert (x[0] == -1).all()
    assert len(np.unique(x, axis=0)) == len(x)


def test_eleven_factors_take_twelve_arms():
    x = matrix(11, plackett_burman)
    assert len(x) == 12
    # No pair is a main effect, and every pair is a third of each that it does not contain.
    for i, j in combinations(range(11), 2):
        dots = abs(x.T @ (x[:, i] * x[:, j])) / 12
        assert sorted(set(np.round(dots, 12))) == [0, round(1 / 3, 12)]
        assert dots[[i, j]].tolist() == [0, 0]
    assert not [g for g in aliases(factors(11), plackett_burman(factors(11))) if ":" not in g[0]]


def test_a_minus_says_that_a_column_is_turned_over():
    x = matrix(3, plackett_burman)
    np.testing.assert_array_equal(x[:, 0], -x[:, 1] * x[:, 2])
    assert ["A", "-B:C"] in aliases(factors(3), plackett_burman(factors(3)))


@pytest.mark.parametrize(
    ("n", "options", "sentence"),
    [
        (3, {}, r"3 factors cannot .* begins at 4; .*study.design=full_factorial with 8 arms"),
        (4, {"resolution": 5}, r"resolution V, which begins at 5; .* 16 arms"),
        (1, {}, r"1 factor cannot"),
        (12, {}, r"up to 11 factors, and this study has 12; .*plackett_burman, which takes 16"),
        (6, {"runs": 8}, r"the smallest has 16 arms: type study.runs=16 or study.runs=32"),
        (6, {"resolution": 2}, r"type 3, 4 or 5"),
        (6, {"resolution": "IV"}, r"type 3, 4 or 5"),
        (6, {"runs": "many"}, r"whole number"),
    ],
)
def test_a_design_too_small_for_its_resolution_says_what_works(n, options, sentence):
    with pytest.raises(UserError, match=sentence):
        fractional_factorial(factors(n), **options)
