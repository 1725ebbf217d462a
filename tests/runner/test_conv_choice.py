"""How a stack gets the forms of its convolutions."""

import json
from functools import partial

import pytest
import torch

from ablate.core.convolution import Kernel
from ablate.models.resnet import resnet
from ablate.runner import conv_choice as operators
from ablate.runner.conv_choice import by_size, set_forms
from tests.world import gan, play, settings

RESNET = {"build": partial(resnet, width=4), "shape": (3, 32, 32)}
SEEDS = (0, 1, 2)


def stack(names=(), seeds=SEEDS, **world):
    return gan({name: settings(name) for name in names}, seeds=seeds, **world)


@pytest.mark.parametrize(
    ("names", "world"),
    [
        (["r1"], {}),
        (["gp_interp", "packing"], {}),
        (["spectral_norm", "batch_norm"], {}),
        (["r1"], RESNET),
    ],
)
@pytest.mark.usefixtures("double")
def test_training_is_the_same_in_every_form(names, world, tmp_path):
    plain = play(stack(names, **world), 3)
    for form in ("matmul", "separate"):
        other = stack(names, **world)
        set_forms(other, form, tmp_path)
        assert set(other.D.forms.values()) == set(other.G.forms.values()) == {form}
        play(other, 3)
        for player in ("G", "D"):
            mine, theirs = other.nets[player].theta, plain.nets[player].theta
            torch.testing.assert_close(mine, theirs, rtol=1e-8, atol=1e-8)
    assert not list(tmp_path.iterdir())


@pytest.fixture
def clock(monkeypatch):
    """Seconds of every form, by the size of its kernel; counts how often they were asked for."""
    asked = []

    def timed(gan, shape, kernel, form):
        asked.append(form)
        wide = kernel.weight.shape[-1] == 4
        return {"grouped": 1.0, "matmul": 0.5 if wide else 2.0, "separate": 3.0}[form]

    monkeypatch.setattr(operators, "timed", timed)
    return asked


def test_the_fastest_form_of_every_shape_is_taken_and_remembered(clock, tmp_path):
    first, second = stack(**RESNET), stack(**RESNET)
    set_forms(first, "timed", tmp_path)
    assert clock
    kernels = {layer: case[1].weight.shape[-1] for _, layer, case in operators.asked(first)}
    told = first.G.forms | first.D.forms
    assert told == {name: "matmul" if kernels[name] == 4 else "grouped" for name in kernels}
    clock.clear()
    set_forms(second, "timed", tmp_path)
    assert not clock
    assert second.G.forms | second.D.forms == told
    (file,) = (tmp_path / "operators").iterdir()
    assert torch.__version__ in file.name
    told_by = {key: one for key, one in json.loads(file.read_text()).items() if key != "seal"}
    assert set(told_by.values()) <= {"grouped", "matmul"}


def test_a_penalty_is_another_question(clock, tmp_path):
    set_forms(stack(), "timed", tmp_path)
    before = len(clock)
    set_forms(stack(["r1"]), "timed", tmp_path)
    assert len(clock) == 2 * before


def test_a_cpu_is_not_asked_by_itself_and_a_trial_alone_never(clock, tmp_path):
    many, alone = stack(**RESNET), stack(seeds=(0,))
    set_forms(many, "auto", tmp_path)
    assert set((many.G.forms | many.D.forms).values()) == {"grouped", "matmul"}
    set_forms(alone, "timed", tmp_path)
    assert not alone.D.forms
    assert not clock


def test_on_a_cpu_the_size_of_the_patches_decides():
    small, large, up = (torch.empty(3 * o, i, 4, 4) for o, i in ((16, 8), (64, 32), (64, 16)))
    assert by_size((3, 64, 8, 8, 8), Kernel(small, None, 2, 1)) == "matmul"  # 8 16 64 16 numbers
    assert by_size((3, 64, 32, 8, 8), Kernel(large, None, 2, 1)) == "grouped"
    assert by_size((3, 64, 64, 1, 1), Kernel(up, None, 1, 0, 0)) == "matmul"
    assert by_size((3, 64, 64, 4, 4), Kernel(up, None, 2, 1, 0)) == "grouped"


def test_a_form_is_timed_with_its_gradients(tmp_path):
    for names in ([], ["r1"]):
        one = stack(names)
        for _, _, (shape, kernel) in operators.asked(one):
            assert all(operators.timed(one, shape, kernel, f) > 0 for f in ("grouped", "matmul"))


def test_the_form_is_typed_and_changes_no_identity(place):
    study = ("sweep", "one_at_a_time", "trick=[r1]", "study.seeds=[0,1]", "study.stack=2")
    basic = "hydra/launcher=basic"
    for operator in ("grouped", "timed"):
        words = (*study, basic, f"operator={operator}", f"out=results/{operator}")
        assert place.type(*words) == 0, place.err
    names = [[trial.name for trial in place.trials(f"results/{o}")] for o in ("grouped", "timed")]
    assert names[0] == names[1]
    assert list((place.path / "cache" / "operators").iterdir())
    assert place.type("train", "operator=grouping") == 2
    assert "grouped" in place.err
