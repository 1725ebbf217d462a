"""Values inside of a part that is swept are set where the part is chosen: in each job."""

import json

import pytest

from ablate.config.messages import in_each_job
from ablate.errors import UserError


def settings(place):
    found = [json.loads((trial / "trial.json").read_text()) for trial in place.trials()]
    return sorted((sorted(one["tricks"]), one["tricks"]["r1"]["gamma"]) for one in found)


@pytest.mark.parametrize("launcher", ["basic", "stack"])
def test_a_number_of_a_trick_beside_a_sweep_of_sets(place, launcher):
    words = ("trick=[r1],[r1,r2]", "trick.r1.gamma=0.5", f"hydra/launcher={launcher}")
    assert place.type("train", "-m", *words) == 0, place.err
    assert settings(place) == [(["r1"], 0.5), (["r1", "r2"], 0.5)]


def test_a_size_beside_a_sweep_of_models(place):
    words = ("model=mlp,dcgan", "model.depth=1", "trick=[r1]")
    assert place.type("train", "-m", *words) == 0, place.err
    models = {json.loads((t / "trial.json").read_text())["model"]["name"] for t in place.trials()}
    depths = {json.loads((t / "trial.json").read_text())["model"]["depth"] for t in place.trials()}
    assert (models, depths) == ({"mlp", "dcgan"}, {1})


def test_a_trick_that_some_sets_lack_is_told_with_one_of_them(place):
    assert place.type("train", "-m", "trick=[],[r1],[r2]", "trick.r1.gamma=0.5") == 2
    assert place.err == (
        "trick.r1.gamma=0.5 sets r1, which trick=[] does not select; type the sets that select r1 "
        "in a command of their own.\n"
    )
    with pytest.raises(UserError, match=r"which trick=\[r2\] does not select"):
        in_each_job(["trick=r1,r2", "trick.r1.gamma=1,2"])


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        (["trick=[r1]", "trick.r1.gamma=1"], ["trick=[r1]", "trick.r1.gamma=1"]),
        (["trick=[a],[a,b]", "trick.a.x=[1,2]"], ["trick=[a],[a,b]", "trick.a.x=choice([1,2])"]),
        (["trick=[a],[a,b]", "trick.a.x=1,2"], ["trick=[a],[a,b]", "trick.a.x=1,2"]),
        (["preset=wgan,gan", "trick.adam.lr=1"], ["preset=wgan,gan", "trick.adam.lr=choice(1)"]),
        (["data=npy,cifar10", "data.root='a b'"], ["data=npy,cifar10", "data.root=choice('a b')"]),
        (["model=mlp,dcgan", "seed=1"], ["model=mlp,dcgan", "seed=1"]),
        (["model=mlp,dcgan", "model.x=[1"], ["model=mlp,dcgan", "model.x=[1"]),
    ],
)  # fmt: skip
def test_only_what_is_inside_of_what_is_swept_waits(given, wanted):
    assert in_each_job(given) == wanted
