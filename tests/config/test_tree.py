"""Every choice of the config tree composes, and what is in a trial is what decides its result."""

from dataclasses import replace
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir

from ablate.cli.hydra_app import DEFAULTS
from ablate.config.catalog import conf_root, names
from ablate.config.tree import trial_of
from ablate.data import load
from ablate.runner.machine import machine

CONF = conf_root() / "conf"


def composed(*overrides):
    with initialize_config_dir(str(CONF), **DEFAULTS):
        return compose("config", list(overrides))


@pytest.fixture(scope="module")
def digits():
    return load("digits")


def choices(*groups):
    return [f"{g}={f.stem}" for g in groups for f in sorted((CONF / g).glob("*.yaml"))]


@pytest.mark.parametrize("choice", choices("data", "model", "budget", "metric", "preset"))
def test_every_choice_makes_a_trial(choice, digits):
    own = [f"model.{p}=docs.own_networks.{p.title()}" for p in ("generator", "discriminator")]
    extra = own if choice == "model=module" else []
    trial = trial_of(composed(choice, *extra), digits)
    assert trial.from_json(trial.to_json()) == trial


@pytest.mark.parametrize("name", names())
def test_every_trick_is_composed_with_all_of_its_settings(name, digits):
    from ablate.config.catalog import trick_class

    trial = trial_of(composed(f"trick=[{name}]"), digits)
    assert list(trial.tricks[name]) == list(trick_class(name).settings)


@pytest.mark.parametrize(
    "override", ["device=cpu", "out=elsewhere", "cache=there", "data.root=/files", "tracker=wandb"]
)
def test_what_belongs_to_the_machine_is_not_in_the_trial(override, digits):
    assert trial_of(composed(override), digits).id == trial_of(composed(), digits).id


@pytest.mark.parametrize(
    "override",
    [
        "seed=1",
        "trick=[ema_g]",
        "data.fraction=0.5",
        "model.width=8",
        "budget.images=64",
        "metric.split=held_out",
        "train.batch_size=32",
        "train.precision=bfloat16",
    ],
)
def test_what_decides_the_result_is_in_the_trial(override, digits):
    assert trial_of(composed(override), digits).id != trial_of(composed(), digits).id


def test_other_images_under_the_same_name_are_another_trial(digits):
    fewer = replace(digits, train=digits.train.take(slice(0, 100)))
    assert trial_of(composed(), fewer).id != trial_of(composed(), digits).id


def test_tricks_are_the_same_trial_in_any_order(digits):
    one = trial_of(composed("trick=[ema_g,label_smooth]"), digits)
    other = trial_of(composed("trick=[label_smooth,ema_g]"), digits)
    assert one.id == other.id


def test_an_override_wins_over_a_preset(digits):
    trial = trial_of(composed("preset=seed3_dcgan", "trick.label_smooth.real_low=0.8"), digits)
    assert trial.tricks["label_smooth"]["real_low"] == 0.8


def test_paths_of_the_machine_are_expanded():
    place = machine(composed("out='~/results'", "cache='~/cache'", "device=cpu"))
    assert (place.out, place.cache) == (Path.home() / "results", Path.home() / "cache")


def test_ready_studies_start_from_the_study_config():
    for file in (conf_root() / "sweeps").glob("*.yaml"):
        lines = file.read_text().splitlines()
        assert lines[0].startswith("# "), f"{file} says nothing about itself"
        assert "  - study" in lines
