"""Three crashes of an arm in a row pause that arm, and nothing else."""

import json
from dataclasses import replace

import pytest

from ablate.plan.pause import crashes
from ablate.store.layout import ended
from ablate.trial import Trial
from tests.plan.test_status import crashing  # noqa: F401  a fixture
from tests.plan.test_sweep import FOLDER
from tests.store.synthetic import status

ONE = Trial({}, 0, {"name": "d"}, {"name": "m"}, {"images": 1}, {}, {})
FIVE = ("one_at_a_time", "trick=[ema_g]", "study.seeds=[0,1,2,3,4]", "hydra/launcher=basic")


@pytest.mark.parametrize(
    ("statuses", "pauses"),
    [
        ("ccc--", True),
        ("cc---", False),
        ("dccc-", True),
        ("cccd-", False),  # it has gone well since
        ("c-c-c", True),  # in the plan's order, whatever is still missing between them
        ("kck--", True),
        ("ccxc-", False),  # diverging is a result, not a crash
        ("-----", False),
    ],
)
def test_the_last_three_that_ended_decide(tmp_path, statuses, pauses):
    words = {"c": "crashed", "d": "done", "k": "killed", "x": "diverged"}
    trials = [replace(ONE, seed=seed) for seed in range(len(statuses))]
    for trial, letter in zip(trials, statuses, strict=True):
        if letter != "-":
            path = tmp_path / "trials" / trial.id
            path.mkdir(parents=True)
            told = status(words[letter]) | {"reason": "r"}
            (path / "status.json").write_text(json.dumps(told))
    assert (crashes(tmp_path, trials, ended(tmp_path)) is not None) == pauses


@pytest.mark.parametrize("stack", [1, 8])
def test_an_arm_that_crashes_is_paused_until_it_is_retried(place, crashing, stack):  # noqa: F811
    command = ("sweep", *FIVE, f"study.stack={stack}")
    crashing.add("with ema_g")
    assert place.type(*command) == 0
    told = (
        "paused: with ema_g (3 crashes in a row: ZeroDivisionError: the 7th batch); "
        f"ablate retry {FOLDER} --status crashed to go on"
    )
    assert told in place.out
    assert "8 of 10 trials" in place.out
    assert place.type("status", FOLDER) == 0
    assert told in place.out
    assert "2 paused" in place.out
    crashing.clear()
    assert place.type(*command) == 0  # no restart by itself makes it go on
    assert told in place.out
    assert len(place.trials(FOLDER)) == 8
    place.type("retry", FOLDER, "--status", "crashed")
    assert place.type(*command) == 0
    assert "10 of 10 trials" in place.out
    assert "paused" not in place.out
