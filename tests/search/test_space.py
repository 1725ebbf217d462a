"""What is searched in an arm."""

import random

import pytest
from optuna.distributions import FloatDistribution, IntDistribution

from ablate.config.catalog import entry, names, trick_class
from ablate.errors import UserError
from ablate.search.space import Space, values
from tests.search.world import trial_with

RANGED = [name for name in names() if entry(name).search]


def space_of(*tricks, chosen=None, **ranges):
    trial = trial_with(*tricks)
    return Space(
        trial.tricks, {t: {**entry(t).search, **ranges.get(t, {})} for t in tricks}, chosen
    )


def draw(space, rng):
    """Return parameters from the corners and the inside of a space."""
    found = {}
    for name, known in space.distributions.items():
        ends = [known.low, known.high] if hasattr(known, "low") else list(known.choices)
        inside = values(known, 7)
        found[name] = rng.choice([*ends, *inside])
    return found


@pytest.mark.parametrize("name", RANGED)
def test_every_setting_that_can_be_drawn_is_legal(name):
    # A range whose ends are searched cannot be swapped, wherever the search goes.
    space, rng = space_of(name), random.Random(0)
    for _ in range(200):
        trick_class(name).stack([space.settings(draw(space, rng))[name]])


@pytest.mark.parametrize("name", RANGED)
def test_a_trick_s_own_settings_are_the_first_to_be_tried(name):
    space = space_of(name)
    tried, own = space.settings(space.defaults())[name], entry(name).settings
    inside = {
        key for key in own
        if own[key] is not None and f"{name}.{key}" in space.distributions
        and space.distributions[f"{name}.{key}"].low <= own[key]
        <= space.distributions[f"{name}.{key}"].high
    }  # fmt: skip
    searched = {n.removesuffix("@share").split(".")[1] for n in space.distributions}
    for key in own:
        if key in inside or key not in searched:
            assert tried[key] == own[key]


def test_the_upper_end_of_a_range_starts_at_the_lower_one():
    space = space_of("label_smooth")
    assert "label_smooth.real_high@share" in space.distributions
    for low in (0.5, 0.83, 1.0):
        for share in (0.0, 0.5, 1.0):
            params = {"label_smooth.real_low": low, "label_smooth.real_high@share": share}
            found = space.settings(params)["label_smooth"]
            assert found["real_low"] == low
            assert found["real_high"] == pytest.approx(low + share * (1.2 - low))


def test_a_chosen_setting_is_searched_alone():
    space = space_of("label_smooth", "r1", chosen=["r1.gamma"])
    assert list(space.distributions) == ["r1.gamma"]
    assert space.distributions["r1.gamma"] == FloatDistribution(1e-3, 1e3, log=True)


def test_whole_numbers_are_searched_as_such():
    assert space_of("n_critic").distributions["n_critic.d_turns"] == IntDistribution(1, 5)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"low": 3, "high": 1}, "type a trick.r1.search.gamma.low of at most 1"),
        ({"low": 0, "high": 1, "log": True}, "is a log range from low=0"),
        ({"low": 0.1}, r"trick.r1.search.gamma.high=None is no number"),
        ({"low": -1, "high": 1}, "out of range; type a number from 0"),
        ({"low": 0, "high": "much"}, "high=much is no number"),
    ],
)
def test_a_range_that_is_none_is_refused(given, sentence):
    with pytest.raises(UserError, match=sentence):
        space_of("r1", r1={"gamma": given})


def test_a_setting_that_the_trick_does_not_have_is_refused():
    with pytest.raises(UserError, match="did you mean 'gamma'"):
        space_of("r1", r1={"gama": {"low": 0, "high": 1}})
