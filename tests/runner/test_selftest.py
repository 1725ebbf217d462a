"""A machine that computes something else is told so before it trains."""

import json
import math
from functools import partial
from pathlib import Path

import pytest
import torch

from ablate.errors import UserError
from ablate.runner import inputs, selftest
from ablate.runner.machine import Machine
from ablate.runner.selftest import Law, require
from ablate.train import ladder

LAWS = ["stack = its trials alone", "slots permuted = results permuted",
        "the penalty turns D's gradient"]  # fmt: skip


def on(folder, rung="auto", device="cpu"):
    return Machine(device, Path(), folder, rung=rung)


def test_a_sound_machine_holds_every_law(place):
    assert place.type("selftest", "device=cpu") == 0
    *lines, last = place.out.splitlines()
    assert [line.split("  ")[1] for line in lines] == LAWS
    assert last.startswith("3 of 3 laws hold on CPU, torch ")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["rung=graph", "device=cpu"], "type rung=auto or rung=compiled."),
        (["rung=grahp"], "did you mean 'graph'"),
        (["devise=cpu"], "There is no key 'devise'; did you mean 'device'."),
        (["cpu"], "cannot be read; type selftest device=cuda."),
    ],
)
def test_a_word_that_means_nothing_is_refused(place, words, sentence):
    assert place.type("selftest", *words) == 2
    assert sentence in place.err


def test_a_law_that_fails_is_the_exit_code(place, monkeypatch):
    whole = selftest.moved

    def by_place(gan, play=None):
        found = whole(gan, play)
        return found * torch.linspace(1, 2, len(found))[:, None]

    monkeypatch.setattr(selftest, "moved", by_place)
    assert place.type("selftest", "device=cpu") == 1
    assert "FAILS" in place.out
    assert "1 of 3 laws hold" in place.out


def test_a_penalty_that_vanishes_is_seen(tmp_path, monkeypatch):
    none = ("gp_interp", {"strength": 0.0}), ("r1", {"gamma": 0.0})
    monkeypatch.setattr(selftest, "PENALTY", none[0])
    monkeypatch.setattr(selftest, "OTHER", none[1])
    assert [law.name for law in selftest.laws(on(tmp_path)) if not law.holds] == LAWS[2:]


def test_the_rung_is_a_law_where_it_is_above_eager(tmp_path, monkeypatch):
    monkeypatch.setattr(ladder, "compiled", lambda gan: partial(gan.play))
    *_, law = selftest.laws(on(tmp_path, "compiled"))
    assert law.name == "compiled = eager" and law.value == 0 and law.holds
    monkeypatch.setattr(ladder, "compiled", lambda gan: lambda *_, **__: {})
    *_, law = selftest.laws(on(tmp_path, "compiled"))
    assert law.name.startswith("compiled = eager: Rounds were played eager") and not law.holds


def test_what_is_no_number_fails():
    assert not Law("a law", math.nan, 1.0).holds
    assert not Law("a law", math.nan, 1.0, above=True).holds


@pytest.fixture
def gpu(monkeypatch):
    """A GPU by name; laws are measured on the CPU."""
    small = selftest.small
    monkeypatch.setattr(selftest, "place_of", lambda _: "NVIDIA H200")
    monkeypatch.setattr(selftest, "small", lambda m, p: small(Machine("cpu", m.out, m.cache), p))


@pytest.mark.usefixtures("gpu")
def test_a_gpu_is_asked_once_for_every_version(tmp_path, monkeypatch):
    asked, laws = [], selftest.exact_laws
    monkeypatch.setattr(selftest, "exact_laws", lambda *a: asked.append(1) or laws(*a))
    place = on(tmp_path, device="cuda")
    require(place), require(place)
    assert len(asked) == 1
    (file,) = (tmp_path / "selftest").iterdir()
    assert file.name.startswith(f"NVIDIA-H200-torch-{torch.__version__}-ablate-")
    assert [law["name"] for law in json.loads(file.read_text())] == LAWS
    monkeypatch.setattr(selftest, "__version__", "99")
    require(place)
    assert len(asked) == 2


@pytest.mark.usefixtures("gpu")
def test_a_gpu_that_fails_does_not_train_and_is_asked_again(tmp_path, monkeypatch):
    monkeypatch.setattr(selftest, "exact_laws", lambda *_: [Law("a law", 1.0, 0.5)])
    with pytest.raises(UserError, match=r"\(a law 1.0e\+00 FAILED\); type device=cpu"):
        require(on(tmp_path, device="cuda"))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("device", "times"), [("cpu", 0), ("cuda:1", 1)])
def test_a_gpu_is_asked_before_anything_is_prepared(monkeypatch, device, times):
    class Asked(Exception):
        pass

    def ask(machine):
        raise Asked

    monkeypatch.setattr(inputs, "require", ask)
    with pytest.raises(Asked if times else AttributeError):
        inputs.prepare(None, on(Path(), device=device))
