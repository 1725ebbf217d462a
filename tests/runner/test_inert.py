"""What is called inert trains the others' numbers bit for bit, and nothing else is called so."""

from functools import partial

import pytest
import torch

from ablate.config.catalog import names, trick_class
from ablate.errors import UserError
from ablate.models.dcgan import dcgan
from ablate.models.mlp import mlp
from ablate.models.resnet import resnet
from ablate.runner.inert import inert, is_neutral
from ablate.train.sample import generate
from ablate.trick import Trick, TrickSet, choice
from tests.golden.numbers import variants
from tests.world import gan, play, recipe_of, settings

NETS = {
    "mlp": (partial(mlp, width=8, depth=1), (2,)),
    "mlp images": (partial(mlp, width=8, depth=1), (1, 8, 8)),
    "dcgan 8": (partial(dcgan, width=4, depth=0), (1, 8, 8)),
    "dcgan 28": (partial(dcgan, width=4, depth=0), (1, 28, 28)),
    "resnet": (partial(resnet, width=4, depth=0), (3, 32, 32)),
}


def found(tricks, net):
    """Return the inert tricks of a set, None where it is refused."""
    build, shape = NETS[net]
    recipe = recipe_of(shape)
    try:
        made = TrickSet(trick_class(name).stack([s]) for name, s in tricks.items())
        refused = any(problem.refuse for problem in made.problems(recipe))
        return None if refused else inert(made, recipe, build)
    except UserError:
        return None


def bits(tricks, net):
    build, shape = NETS[net]
    g = play(gan(tricks, build=build, shape=shape), 3)
    drawn = [generate(g, theta, 8) for theta in g.tricks.sampler({"raw": g.G.theta}, g).values()]
    return [g.G.theta, g.D.theta, *drawn]


def equal(one, other):
    return len(one) == len(other) and all(
        a.shape == b.shape and torch.equal(a, b) for a, b in zip(one, other, strict=True)
    )


CASES = [
    (name, variant, net)
    for name in names()
    for variant, chosen in variants(name).items()
    for net in NETS
    if found({name: chosen}, net)
]


def test_the_known_cases_are_among_them():
    assert ("batch_norm", "nets=D", "dcgan 8") in CASES
    assert ("group_norm", "nets=D", "dcgan 8") in CASES
    assert ("batch_norm", "nets=D", "dcgan 28") not in CASES


@pytest.mark.parametrize(("name", "variant", "net"), CASES)
def test_what_is_called_inert_is_the_baseline_bit_for_bit(name, variant, net):
    assert equal(bits({name: variants(name)[variant]}, net), bits({}, net))


@pytest.mark.parametrize("name", names())
def test_what_bites_is_not_called_inert(name):
    """Where a trick is not neutral and moves a bit in three rounds, it is not inert."""
    for net in ("mlp", "dcgan 8"):
        chosen = settings(name)
        if found({name: chosen}, net) == [name]:
            assert is_neutral(name, chosen), net


def test_a_trick_that_nothing_is_left_for_is_inert_beside_others():
    norms = {"batch_norm": settings("batch_norm", nets="D"), "init_gauss": settings("init_gauss")}
    assert found(norms, "dcgan 8") == ["batch_norm"]
    assert found({**norms, "batch_norm": settings("batch_norm", nets="G")}, "dcgan 8") == []
    assert found({"batch_norm": settings("batch_norm")}, "dcgan 8") == []


def test_a_trick_that_works_in_steps_is_never_called_inert():
    class Late(Trick):
        """Does nothing in the first rounds. Source: a test."""

        kind: str = choice("a")

        def view(self, x, at):
            return x

    build, shape = NETS["mlp"]
    assert inert(TrickSet([Late(kind="a")]), recipe_of(shape), build) == []


@pytest.mark.parametrize("name", [n for n in names() if trick_class(n).neutral])
def test_neutral_settings_are_known_as_such(name):
    neutral = trick_class(name).neutral
    assert is_neutral(name, settings(name, **neutral))
    moved = settings(name)
    assert is_neutral(name, moved) == all(
        trick_class(name).settings[key].check(name, key, moved[key])
        == trick_class(name).settings[key].check(name, key, value)
        for key, value in neutral.items()
    )
