"""A researcher's own modules train like ours, with every trick that needs no layers."""

from functools import partial

import pytest
import torch
from torch import nn

from ablate.config.catalog import names, trick_class
from ablate.errors import UserError
from ablate.models.module import module
from ablate.trick import TrickSet
from docs.own_networks import Discriminator, Generator
from tests.world import gan, play, recipe_of, settings

SHAPE = (1, 8, 8)
PLAIN = ["label_smooth", "noisy_labels", "r1", "ema_g", "gp_interp", "instance_noise", "ttur"]


def build(g=Generator, d=Discriminator, **kwargs):
    options = {"G": {"latent": 6, "width": 4} | kwargs, "D": {"width": 4}}
    return partial(module, classes={"G": g, "D": d}, kwargs=options)


def own(tricks, seeds=(0,), **options):
    return gan(tricks, seeds=seeds, build=build(**options), shape=SHAPE)


class WithDropout(Discriminator):
    def __init__(self, width=4):
        super().__init__(width)
        self.body.append(nn.Dropout(0.5))


class WithBatchNorm(Generator):
    def __init__(self, latent, width):
        super().__init__(latent, width)
        self.norm = nn.BatchNorm2d(1)

    def forward(self, z):
        return self.norm(super().forward(z))


@pytest.mark.parametrize("name", PLAIN)
@pytest.mark.usefixtures("double")
def test_a_stack_equals_its_trials(name):
    tricks = {name: settings(name)}
    stack = play(own(tricks, seeds=(3, 4)), 6)
    for k, seed in enumerate((3, 4)):
        alone = play(own(tricks, seeds=(seed,)), 6)
        torch.testing.assert_close(stack.G.theta[k], alone.G.theta[0], rtol=1e-9, atol=1e-12)
        torch.testing.assert_close(stack.D.theta[k], alone.D.theta[0], rtol=1e-9, atol=1e-12)


def test_first_values_are_the_modules_own():
    torch.manual_seed(5)
    before = torch.get_rng_state()
    weight = own({}, seeds=(0, 1)).G.part("module.stem.weight")
    assert torch.equal(torch.get_rng_state(), before)
    assert weight.abs().max() <= 6**-0.5
    assert not torch.equal(weight[0], weight[1])


def test_it_is_the_module_in_the_textbook_loop():
    g, z = own({}), torch.randn(1, 5, 6)
    alone = Generator(6, 4)
    for name, p in alone.named_parameters():
        p.data.copy_(g.G.part(f"module.{name}")[0])
    assert torch.equal(g.G(g.G.open(g.G.theta), z, g.feed.start).value[0], alone(z[0]))


def test_batch_norm_loses_its_running_statistics():
    g = play(own({}, seeds=(0, 1), g=WithBatchNorm), 2)
    assert g.G.theta.isfinite().all()
    assert g.G.layers[0].template.norm.running_mean is None


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"d": WithDropout}, "Dropout.*global generator"),
        ({"latent": 7}, "mat1 and mat2.* is needed; change"),
    ],
)
def test_a_module_that_does_not_fit_is_refused(options, message):
    with pytest.raises(UserError, match=message):
        own({}, **options)


@pytest.mark.parametrize("name", ["batch_norm", "spectral_norm", "init_gauss", "feature_matching"])
def test_tricks_of_layers_are_refused(name):
    tricks = TrickSet([trick_class(name).stack([settings(name)])])
    refused = [p.sentence for p in tricks.problems(recipe_of(SHAPE), surgery=False) if p.refuse]
    assert any("model=module" in sentence for sentence in refused)


@pytest.mark.parametrize(
    ("name", "changes", "refused"),
    [
        ("d_capacity", {"width": 2.0}, "sizes networks of ours"),
        ("g_capacity", {"width": 1.0, "depth": -1}, "sizes networks of ours"),
        ("g_capacity", {"width": 1.0, "depth": 0}, ""),
        ("range_pair", {"kind": "sigmoid"}, "brings a G that ends in [-1, 1]"),
        ("range_pair", {"kind": "linear"}, "brings a G that ends in [-1, 1]"),
        ("range_pair", {"kind": "tanh"}, ""),
        ("batch_size", {}, ""),
    ],
)
def test_what_would_change_nothing_or_half_of_a_pair_is_refused(name, changes, refused):
    tricks = TrickSet([trick_class(name).stack([settings(name, **changes)])])
    sentences = [p.sentence for p in tricks.problems(recipe_of((1, 8, 8)), surgery=False)]
    assert [refused in sentence for sentence in sentences] == [True] * bool(refused)
    assert not tricks.problems(recipe_of((1, 8, 8)))


def test_no_trick_edits_a_choice_that_foreign_networks_do_not_read_without_being_refused():
    """Whatever a trick makes of the recipe at its yaml default."""
    free = {"batch_size", "latent_dim"}  # which modules are given as they are
    for name in names():
        tricks, recipe = TrickSet([trick_class(name).stack([settings(name)])]), recipe_of((1, 8, 8))
        before, after = vars(recipe), vars(tricks.recipe(recipe))
        edited = {key for key in before if before[key] != after[key]} - free
        assert not edited or any(p.refuse for p in tricks.problems(recipe, surgery=False)), name
