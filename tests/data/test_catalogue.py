"""Names agree in yaml and code; a slip of the finger is answered with the right name."""

import inspect
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml

from ablate.data import SETS, load
from ablate.errors import UserError

CONF = Path(__file__).parents[2] / "conf" / "data"
WITHOUT_FILES = ("digits", "ring8", "grid25", "point", "stacked")
SMALL = {"samples": 500}


def small(name: str) -> dict[str, int]:
    return SMALL if "samples" in inspect.signature(SETS[name]).parameters else {}


def test_every_set_has_a_yaml_and_every_yaml_a_set():
    assert {path.stem for path in CONF.glob("*.yaml")} == set(SETS)


@pytest.mark.parametrize("name", SETS)
def test_a_yaml_spells_every_option_with_the_default_of_the_code(name):
    text = (CONF / f"{name}.yaml").read_text()
    keys = yaml.safe_load(text)
    defaults = {
        key: parameter.default
        for key, parameter in inspect.signature(SETS[name]).parameters.items()
        if key not in ("root", "cache") and parameter.kind is not parameter.VAR_KEYWORD
    }
    assert keys == {"name": name, "root": None, "fraction": 1.0} | defaults
    assert len(text.splitlines()) < 15


@pytest.mark.parametrize("name", WITHOUT_FILES)
def test_loading_is_repeatable_and_draws_from_no_global_generator(name):
    state = np.random.get_state()[1].copy(), torch.get_rng_state()  # noqa: NPY002
    first = load(name, **small(name))
    torch.manual_seed(1)
    torch.rand(3)
    moved = torch.get_rng_state()
    second = load(name, **small(name))
    assert first.fingerprint == second.fingerprint
    assert torch.equal(moved, torch.get_rng_state())
    torch.set_rng_state(state[1])
    assert (state[0] == np.random.get_state()[1]).all()  # noqa: NPY002


@pytest.mark.parametrize("name", WITHOUT_FILES)
def test_both_splits_are_there_and_labelled(name):
    dataset = load(name, **small(name))
    for split in (dataset.train, dataset.held_out):
        assert len(split) >= 2
        assert split.images.is_contiguous()
        assert split.labels is not None
        assert dataset.classes is not None
        assert 0 <= int(split.labels.min()) <= int(split.labels.max()) < dataset.classes


@pytest.mark.parametrize(
    ("typed", "meant"), [("minst", "mnist"), ("cifar-10", "cifar10"), ("RING8", "ring8")]
)
def test_an_unknown_name_is_answered_with_the_nearest(typed, meant):
    with pytest.raises(UserError, match=f"did you mean data={meant}"):
        load(typed)


def test_an_unknown_option_is_answered_with_the_known_ones():
    with pytest.raises(UserError, match=r"no option data\.sizes; remove it .*channels, size"):
        load("image_folder", root=".", sizes=32)


@pytest.mark.parametrize("name", ["mnist", "fashion_mnist", "cifar10"])
@pytest.mark.parametrize("root", [None, "", "not/there"])
def test_missing_public_files_are_answered_with_two_ways_out(name, root):
    with pytest.raises(UserError, match=rf"data\.root=FOLDER or .*`ablate data fetch {name}`"):
        load(name, root=root)


@pytest.mark.parametrize("name", ["parquet", "image_folder", "npy"])
def test_missing_files_of_the_user_are_answered_with_the_key_to_set(name):
    with pytest.raises(UserError, match=r"say data\.root=FOLDER\."):
        load(name)


@pytest.mark.parametrize("samples", [1, 0, -5, 2.5, "many", True])
@pytest.mark.parametrize("name", ["ring8", "stacked"])
def test_sample_counts_are_whole_numbers(name, samples):
    with pytest.raises(UserError, match=r"data\.samples must be a whole number of at least 2"):
        load(name, samples=samples)
