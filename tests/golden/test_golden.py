"""Whoever moves the numbers of a trick, a network, the core or a metric raises its revision."""

import pytest

from ablate.config.catalog import trick_class
from tests.golden.numbers import EXACT, TOLERANCE, WRITE, cases, moved, remembered

CASES, REMEMBERED = cases(), remembered()


@pytest.mark.parametrize("name", CASES)
def test_numbers_move_with_their_revision_alone(name):
    number, compute = CASES[name]
    known = REMEMBERED.get(name)
    assert known, f"{name} has no golden numbers; type {WRITE}"
    assert known["revision"] == list(number), f"{name} has a new revision; type {WRITE}"
    assert not moved(known["numbers"], compute(), TOLERANCE.get(name, EXACT)), (
        f"{name} gives other numbers than its revision did; raise the revision (of the trick's "
        f"class, or in ablate/config/revision.py), so that old results are not taken for new "
        f"ones, and type {WRITE}"
    )


def test_nothing_is_remembered_that_is_gone():
    assert set(REMEMBERED) <= set(CASES)


@pytest.mark.parametrize(("name", "seam", "factor"), [
    ("label_smooth", "target", 1.001), ("r1", "penalty", 1.001), ("init_gauss", "init", 1.001),
])  # fmt: skip
def test_a_small_change_of_a_trick_is_seen(monkeypatch, name, seam, factor):
    kind = trick_class(name)
    before = getattr(kind, seam)

    def changed(self, *given):
        value = before(self, *given)
        return value if value is None else value * factor

    monkeypatch.setattr(kind, seam, changed)
    known = REMEMBERED[f"trick {name}"]["numbers"]
    assert moved(known, CASES[f"trick {name}"][1](), EXACT)
