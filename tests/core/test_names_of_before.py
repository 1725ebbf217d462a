"""Tricks and networks that people wrote against the names of before still import."""

import importlib

import pytest

import ablate.trick
from ablate.core import layers, optim, rng
from ablate.seams.trick_set import TrickSet


@pytest.mark.parametrize(
    ("before", "now", "names"),
    [
        ("ablate.random", rng, ["Moment"]),
        ("ablate.optim", optim, ["Adam", "Optimizer", "RMSprop", "SGD"]),
        ("ablate.models.layers", layers, ["Apply", "Conv", "Layer", "Linear", "Weights", "like"]),
    ],
)
def test_a_name_of_before_is_the_same_thing(before, now, names):
    found = importlib.import_module(before)
    assert all(getattr(found, name) is getattr(now, name) for name in names)


def test_a_set_of_tricks_is_still_imported_from_the_interface():
    assert ablate.trick.TrickSet is TrickSet
