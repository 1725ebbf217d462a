"""A key that nothing reads is refused wherever it may stand, and a whole number is one."""

import math

import pytest
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from ablate.cli.hydra_app import DEFAULTS
from ablate.config.catalog import conf_root
from ablate.config.keys import checked_keys
from ablate.config.tree import resolved, trial_of
from ablate.data import load
from ablate.errors import UserError
from ablate.train.schedule import rounds_for, shows
from ablate.trick import TEXTBOOK, Turn

CONF = conf_root() / "conf"
OPEN = ("data", "model", "tracker", "study.factors", "study.arms")


def tree_of(*overrides, config="study"):
    with initialize_config_dir(str(CONF), **DEFAULTS):
        return OmegaConf.to_container(compose(config, list(overrides)))


@pytest.fixture(scope="module")
def whole():
    """The tree of a study in which everything is chosen."""
    tree = tree_of("trick=[r1,ema_g]", "search=optuna", "tracker=wandb")
    return {key: value for key, value in tree.items() if key != "hydra"}


def nodes(tree, place=()):
    """Yield the place of every mapping."""
    yield place
    for key, value in tree.items():
        if isinstance(value, dict):
            yield from nodes(value, (*place, key))


def at(tree, place):
    for key in place:
        tree = tree[key]
    return tree


def copied(tree):
    return {k: copied(v) if isinstance(v, dict) else v for k, v in tree.items()}


def test_our_own_trees_pass(whole):
    checked = checked_keys(whole)
    assert checked == whole


def test_a_stray_key_is_refused_at_every_level(whole):
    places = [p for p in nodes(whole) if p[:1] != ("trick",) or len(p) == 1]
    assert len(places) > 10
    for place in places:
        tree = copied(whole)
        at(tree, place)["stray_key"] = 3
        if place == ("trick",):
            continue  # a trick that is not selected: `tricks_of` says so
        with pytest.raises(UserError, match="stray_key"):
            checked_keys(tree)


@pytest.mark.parametrize(
    "choice", ["data=stacked", "data=image_folder", "data=parquet", "data=npy", "model=mlp",
               "metric=inception", "budget=smoke", "tracker=wandb", "preset=wgan"],
)  # fmt: skip
def test_every_choice_knows_its_keys(choice):
    tree = tree_of(choice, config="config")
    assert checked_keys({k: v for k, v in tree.items() if k != "hydra"})


def test_a_set_made_of_another_takes_its_keys():
    tree = tree_of("data=stacked", "data.of=image_folder", "+data.size=8", config="config")
    assert checked_keys({k: v for k, v in tree.items() if k != "hydra"})["data"]["size"] == 8


@pytest.mark.parametrize(
    ("override", "value"),
    [("budget.images=1e3", 1000), ("budget.images=640.0", 640), ("seed=2e0", 2),
     ("train.batch_size=8.0", 8)],
)  # fmt: skip
def test_a_whole_number_may_be_written_as_a_float(override, value):
    key = override.partition("=")[0].split(".")
    with initialize_config_dir(str(CONF), **DEFAULTS):
        config = compose("config", [override])
    found = at(resolved(config), key)
    assert (found, type(found)) == (value, int)
    plain = override.partition("=")[0] + f"={value}"
    with initialize_config_dir(str(CONF), **DEFAULTS):
        digits = load("digits")
        same = trial_of(compose("config", [plain]), digits)
        assert trial_of(config, digits).id == same.id


def test_a_number_that_is_none_stays_what_it_is():
    tree = tree_of("budget.images=1.5", "data.fraction=1", config="config")
    found = checked_keys(tree)
    assert found["budget"]["images"] == 1.5
    assert type(found["data"]["fraction"]) is int  # as it was typed: its id is what it was


def test_a_missing_key_says_what_ours_is(whole):
    for place, key in (("budget", "images"), ("train", "precision"), ("study", "seeds")):
        tree = copied(whole)
        del tree[place][key]
        with pytest.raises(UserError, match=rf"{place}\.{key} is missing; type {place}\.{key}="):
            checked_keys(tree)


# -- counting -------------------------------------------------------------------------------------


@pytest.mark.parametrize("images", [1, 7, 8, 9, 63, 64, 65, 1000])
@pytest.mark.parametrize("pattern", ["d", "dg", "ddg", "gdggd"])
def test_rounds_are_counted_as_by_playing_them(images, pattern):
    rounds = [((Turn("D" if who == "d" else "G"),),) for who in pattern]
    shown = n = 0
    while shown < images:
        shown += 8 * shows(rounds[n % len(rounds)])
        n += 1
    assert rounds_for(images, 8, rounds) == n


def test_a_budget_without_end_is_counted_at_once():
    assert rounds_for(10**15, 64, list(TEXTBOOK)) == math.ceil(10**15 / 64)
