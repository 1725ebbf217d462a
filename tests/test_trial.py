"""What decides a result is what an id is made of."""

import hashlib
import json
from dataclasses import replace

import pytest

from ablate.trial import Trial

TRIAL = Trial(
    tricks={"r1": {"gamma": 10.0, "every": 1}},
    seed=3,
    data={"name": "digits", "fraction": 1.0},
    model={"name": "mlp", "width": 64},
    budget={"images": 6400, "evaluations": 1, "samples": 256, "curve_points": 20},
    metric={"extractor": "classifier"},
    train={"batch_size": 64, "latent_dim": 64},
    arm="r1",
)
CANONICAL = (
    '{"budget":{"curve_points":20,"evaluations":1,"images":6400,"samples":256},'
    '"data":{"fraction":1.0,"name":"digits"},"metric":{"extractor":"classifier"},'
    '"model":{"name":"mlp","width":64},"seed":3,"train":{"batch_size":64,"latent_dim":64},'
    '"tricks":{"r1":{"every":1,"gamma":10.0}}}'
)
PINNED = "827599a35dcd7e59"


def test_an_id_is_pinned():
    """It names folders on people's disks: it must not change."""
    assert TRIAL.id == hashlib.sha256(CANONICAL.encode()).hexdigest()[:16] == PINNED


def test_the_arms_name_and_the_order_of_keys_are_no_part_of_it():
    turned = replace(TRIAL, budget=dict(reversed(TRIAL.budget.items())), arm="other")
    assert turned.id == TRIAL.id


@pytest.mark.parametrize(
    "other",
    [
        {"tricks": {}}, {"seed": 4}, {"data": {"name": "digits", "fraction": 0.5}},
        {"model": {"name": "mlp", "width": 65}}, {"metric": {"extractor": "raw"}},
        {"budget": {**TRIAL.budget, "images": 6401}}, {"train": {**TRIAL.train, "batch_size": 32}},
        {"code": {"trick.r1": "1a2b"}},
    ],
)  # fmt: skip
def test_everything_else_is(other):
    assert replace(TRIAL, **other).id != TRIAL.id


def test_code_makes_another_trial_of_the_same_kin():
    coded = replace(TRIAL, code={"trick.r1": "1a2b"})
    assert coded.kin == TRIAL.kin == TRIAL.id
    assert json.loads(coded.to_json())["code"] == {"trick.r1": "1a2b"}
    assert "code" not in json.loads(TRIAL.to_json())


def test_a_number_that_is_not_finite_has_no_id():
    with pytest.raises(ValueError, match="JSON"):
        _ = replace(TRIAL, data={"name": "digits", "fraction": float("nan")}).id


@pytest.mark.parametrize(("images", "whole"), [(6400, 6400), (6401, 6464), (1, 64)])
def test_the_last_batch_is_shown_whole(images, whole):
    assert replace(TRIAL, budget={**TRIAL.budget, "images": images}).images == whole
