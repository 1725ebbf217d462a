"""Leases: what a worker takes at once, and which arms join in one program."""

import json
from itertools import permutations

import pytest
from pandas.testing import assert_frame_equal

from ablate.data import load
from ablate.plan import worker
from ablate.plan.lease import leases
from ablate.runner import stack
from ablate.runner.build import assemble, structure, together
from ablate.store import read
from ablate.trial import Trial
from tests.world import settings

PARTS = {
    "data": {"name": "ring8"},
    "model": {"name": "mlp", "width": 4, "depth": 1},
    "budget": {"images": 64, "evaluations": 1, "samples": 16, "curve_points": 1},
    "metric": {},
    "train": {"batch_size": 16, "latent_dim": 2, "precision": "float32", "channels_last": False},
}


@pytest.fixture(scope="module")
def ring():
    return load("ring8", samples=64)


def arm(*tricks, seeds=(0, 1), **changes):
    """Return the trials of an arm, its tricks by name or as (name, changed settings)."""
    named = [trick if isinstance(trick, tuple) else (trick, {}) for trick in tricks]
    sets = {name: settings(name, **changed) for name, changed in named}
    return [Trial(sets, seed, **PARTS | changes, arm="+".join(sets)) for seed in seeds]


def shape(found):
    """Return the arms and seeds of every lease."""
    return [sorted({t.arm for t in lease}) for lease in found]


def test_every_trial_is_in_one_lease_whatever_joins(ring):
    plan = [*arm(), *arm("label_smooth"), *arm("r1"), *arm("r1", "topk_g"), *arm("ema_g")]
    for size in (1, 2, 3, 4, 64):
        for dataset in (None, ring):
            found = leases(plan, size, dataset)
            assert sorted(t.id for lease in found for t in lease) == sorted(t.id for t in plan)
            assert all(len(lease) <= size for lease in found)
            assert all(len({structure(t) for t in together(lease)}) == 1 for lease in found)


def test_arms_join_that_differ_by_cheap_tricks_alone(ring):
    plan = [*arm(), *arm("label_smooth"), *arm("r1"), *arm("r1", "topk_g"), *arm("ema_g")]
    together_ = [["", "label_smooth"], ["r1", "r1+topk_g"], ["ema_g"]]
    assert shape(leases(plan, 64, ring)) == together_
    assert len(leases(plan, 64)) == 5  # on a CPU none joins
    assert len(leases(plan, 3, ring)) == 5  # four trials do not fit


def test_a_lease_stays_in_the_order_of_the_plan(ring):
    plan = [t for pair in zip(arm(), arm("label_smooth"), strict=True) for t in pair]
    assert leases(plan, 64, ring) == [plan]


def test_what_other_choices_or_other_kinds_of_a_trick_make_apart_stays_apart(ring):
    flip, swap = arm(("noisy_labels", {"mode": "flip"})), arm(("noisy_labels", {"mode": "swap"}))
    assert len(leases([*flip, *swap], 64, ring)) == 2
    wide = arm(model=PARTS["model"] | {"width": 8})
    assert len(leases([*arm("ttur"), *wide], 64, ring)) == 2


def test_a_trick_that_refuses_another_does_not_stand_beside_it(ring):
    # Smoothing has no target under a Wasserstein loss; at neutral numbers it has none either.
    plan = [*arm("loss_wasserstein"), *arm("loss_wasserstein", "ttur"), *arm("label_smooth")]
    assert shape(leases(plan, 64, ring))[0] == ["loss_wasserstein", "loss_wasserstein+ttur"]
    both = [*arm("rmsprop"), *arm("rmsprop", "ttur")]
    assert len(leases(both, 64, ring)) == 1
    refused = [*arm("rmsprop", "ttur"), *arm("adam", "rmsprop")]  # the plan would refuse the second
    assert len(leases(refused, 64, ring)) == 2


def test_what_joins_does_not_depend_on_how_often_it_is_asked(ring):
    plan = [*arm(), *arm("label_smooth"), *arm("topk_g"), *arm(("noisy_labels", {"mode": "swap"}))]
    assert leases(plan, 8, ring) == leases(list(plan), 8, ring)


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_a_joined_lease_is_a_stack_and_its_trials_stay_what_they_were(ring, order):
    plan = [t for i in order for t in (arm(), arm("topk_g"), arm("label_smooth", "ttur"))[i]]
    before = [t.to_json() for t in plan]
    (lease,) = leases(plan, 64, ring)
    gan = assemble(lease, ring, "cpu")
    assert len(gan.feed.seed) == 6
    assert sorted(t.name for t in gan.tricks) == ["label_smooth", "topk_g", "ttur"]
    assert [t.to_json() for t in plan] == before == [t.to_json() for t in lease]


def test_a_study_of_joined_arms_ends_with_the_table_of_its_trials(place, monkeypatch):
    words = ("sweep", "one_at_a_time", "trick=[label_smooth,topk_g]", "hydra/launcher=basic",
             "study.seeds=[0,1]")  # fmt: skip
    assert place.type(*words, "study.stack=1", "out=alone") == 0, place.err
    sizes, fit = [], stack.fit
    monkeypatch.setattr(stack, "fit", lambda t, *rest: sizes.append(len(t)) or fit(t, *rest))
    monkeypatch.setattr(worker, "leases", lambda t, size, _: leases(t, size, load("digits")))
    assert place.type(*words, "study.stack=64", "out=joined") == 0, place.err
    assert sizes == [6]
    alone, joined = (read(place.path / out) for out in ("alone", "joined"))
    same = ["trial", "arm", "seed", "status", "images", "generator", "metric"]
    assert_frame_equal(alone[same], joined[same])
    assert_frame_equal(alone[["value"]], joined[["value"]], rtol=1e-3)
    for trial in place.trials("joined"):
        told = json.loads((trial / "trial.json").read_text())
        assert told["arm"] == " ".join(
            ["with", *told["tricks"]] if told["tricks"] else ["reference"]
        )
