"""What was read is told before training and kept; how it was read changes no trial's id."""

import json
import os

import numpy as np
import pytest
import torch

from ablate.config.tree import trial_of
from ablate.data import load
from ablate.data.dataset import Dataset, Split
from ablate.data.option import READING, decisive, reading_of, remade
from ablate.data.reading import Reading
from ablate.data.root import NAMELESS, title_of
from tests.data.test_image_folder import encode, write
from tests.data.test_layout import shard

GOOD = {f"{half}/{label}/{n:02}.png": encode(np.full((8, 8, 3), 20 * n, np.uint8))
        for half in ("Train", "Test") for label in ("a", "b") for n in range(12)}  # fmt: skip
BAD = {"Train/a/99.png": b"no", "Train/clip.mp4": b"", "Train/b/x.mp4": b""}
LINE = "Data photos: 24 train (2 classes), 24 held out, 3 files left out (.mp4 2, unreadable 1)."
OURS = ("data=image_folder", "data.root=photos/img", "data.skip_unreadable=true")
STUDY = """
defaults:
  - study
  - override hydra/launcher: basic
  - override trick: [ema_g]
  - _self_
study: {design: leave_one_out, seeds: [0]}
"""


@pytest.fixture
def photos(place):
    write(place.path / "photos" / "img", GOOD | BAD)
    (place.path / "s.yaml").write_text(STUDY)
    return place


def test_a_bad_file_ends_a_command_in_one_sentence(photos):
    assert photos.type("train", *OURS[:2]) == 2
    assert "99.png is no readable image" in photos.err
    assert "data.skip_unreadable=true" in photos.err and "Traceback" not in photos.err
    assert not (photos.path / "results").exists()


def test_what_was_read_is_printed_and_kept_with_each_trial(photos):
    assert photos.type("train", *OURS) == 0, photos.err
    lines = photos.out.splitlines()
    assert lines[:2] == [LINE, "Note: Train/ is trained on, Test/ is held out."]
    (trial,) = photos.trials()
    assert json.loads((trial / "provenance.json").read_text())["data"] == {
        "name": "photos", "train": 24, "held_out": 24, "classes": 2, "shape": [3, 8, 8],
        "left_out": {".mp4": 2, "unreadable": 1},
        "notes": ["Train/ is trained on, Test/ is held out"],
    }  # fmt: skip


def test_a_plan_and_a_study_say_it_too(photos):
    assert photos.type("plan", "s.yaml", *OURS) == 0, photos.err
    assert photos.out.startswith(LINE)
    assert photos.type("sweep", "s.yaml", *OURS) == 0, photos.err
    assert LINE in photos.out
    for trial in photos.trials("results/s"):
        assert json.loads((trial / "provenance.json").read_text())["data"]["train"] == 24


def tree(**data):
    budget = {"images": 64, "evaluations": 1, "samples": 16, "curve_points": 4}
    train = {"batch_size": 8, "latent_dim": 4, "precision": "float32", "channels_last": False}
    parts = {"model": {"name": "dcgan", "width": 4}, "metric": {}, "trick": {}, "tracker": {}}
    return {"data": data, "seed": 0, "budget": budget, "train": train, **parts}


IMAGES = torch.arange(8 * 64, dtype=torch.uint8).reshape(8, 1, 8, 8)
SET = Dataset("made", Split(IMAGES, None), Split(IMAGES, None))
OLD = {  # as every parquet trial was written before there were options of reading
    "name": "parquet", "fraction": 1.0, "image_column": None, "label_column": None,
    "size": None, "channels": 3, "title": None,
}  # fmt: skip


def test_how_files_are_read_is_no_part_of_a_trial():
    """Computed from the old keys by hand: an id that was made before these options stays."""
    before = trial_of(tree(**OLD), SET)
    assert before.data == OLD | {"fingerprint": SET.fingerprint}
    new = OLD | {
        "label_column": "auto",
        "root": "x",
        "background": "black",
        "skip_unreadable": True,
    }
    assert trial_of(tree(**new), SET).id == before.id
    assert trial_of(tree(**OLD | {"label_column": "fine"}), SET).id != before.id
    assert trial_of(tree(**OLD | {"size": 32}), SET).id != before.id


@pytest.mark.parametrize("label", ["auto", None, "fine"])
def test_the_options_of_a_trial_are_made_again(label):
    options = OLD | dict(READING) | {"label_column": label, "background": "black"}
    trial = decisive(options) | {"fingerprint": "x"}
    assert remade(trial, reading_of(options)) == options
    # A trial of before, on a machine that says nothing: null meant `label` where there is one.
    assert remade(OLD | {"fingerprint": "x"}, "{}") == OLD | {"label_column": "auto"}


def test_a_study_does_without_labels_in_its_workers(place):
    shard(place.path / "set" / "train.parquet", *range(0, 200, 10))
    shard(place.path / "set" / "test.parquet", *range(5, 205, 10))
    words = ("data=parquet", "data.root=set", "data.label_column=null", "data.size=8")
    (place.path / "s.yaml").write_text(STUDY)
    assert place.type("sweep", "s.yaml", *words) == 0, place.err
    assert "Data set: 20 train (no labels), 20 held out." in place.out
    assert len(place.trials("results/s")) == 2


@pytest.mark.parametrize(
    ("root", "name"),
    [
        ("photos", "photos"), ("photos/", "photos"), ("photos/img", "photos"),
        ("photos/data/images", "photos"), ("photos/v1.5", "v1.5"), ("photos/x.zip", "x"),
        ("photos/img/../img", "photos"), ("photos/train.parquet", "photos"),
        ("photos/img/raw/data", "data"),
    ],
)  # fmt: skip
def test_a_set_is_called_like_its_folder(tmp_path, root, name):
    path = tmp_path / root
    if path.suffix in (".zip", ".parquet"):
        path.parent.mkdir(parents=True)
        path.touch()
    else:
        os.makedirs(path, exist_ok=True)
    assert title_of(None, path) == name
    assert title_of("", path) == name
    assert title_of("mine", path) == "mine" and title_of(2024, path) == "2024"


def test_the_working_folder_gives_its_own_name(tmp_path, monkeypatch):
    for below in ("birds", "birds/data"):
        (tmp_path / below).mkdir()
        monkeypatch.chdir(tmp_path / below)
        write(tmp_path / below, {f"{n}.png": encode(np.full((4, 4, 3), n, np.uint8)) for n in range(5)})  # noqa: E501 # fmt: skip
        assert load("image_folder", root=".").name == "birds"
    assert "data" in NAMELESS


def test_a_fraction_is_told(tmp_path):
    root = write(tmp_path / "m", {f"{n:02}.png": encode(np.full((4, 4, 3), n, np.uint8)) for n in range(50)})  # noqa: E501 # fmt: skip
    dataset = load("image_folder", root=root, fraction=0.5)
    assert "Data m: 20 train (no labels), 10 held out." in dataset.sentences()
    assert "Note: data.fraction=0.5 of 40 training images." in dataset.sentences()


def test_readings_add_up():
    one, other = Reading({"a": 1, "b": 2}, ("x", "y")), Reading({"b": 3}, ("y", "z"))
    assert one + other == Reading({"a": 1, "b": 5}, ("x", "y", "z"))
    assert str(one + other) == ", 6 files left out (a 1, b 5)"
    assert str(Reading({"a": 1})) == ", 1 file left out (a 1)" and str(Reading()) == ""
