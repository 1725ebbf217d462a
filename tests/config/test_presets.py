"""Every preset composes into a set of tricks that is legal and trains."""

import pytest
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from ablate.config.catalog import conf_root, entry, parse, trick_set
from tests import world

PRESETS = sorted(f.stem for f in (conf_root() / "conf" / "preset").glob("*.yaml"))
PRIMARY = """
defaults: [_self_, {{trick: []}}, {{preset: null}}]
trick: {{}}
hydra: {{searchpath: ["file://{conf}"]}}
"""


@pytest.fixture
def composed(tmp_path):
    """Return a function from overrides to trick name -> settings."""
    (tmp_path / "primary.yaml").write_text(PRIMARY.format(conf=conf_root() / "conf"))

    def tricks(*overrides):
        with initialize_config_dir(str(tmp_path), version_base="1.3"):
            nodes = OmegaConf.to_container(compose("primary", list(overrides)).trick)
        return {name: dict(parse(name, node).settings) for name, node in nodes.items()}

    return tricks


@pytest.mark.parametrize("preset", PRESETS)
def test_a_preset_is_legal_and_trains(preset, composed, monkeypatch):
    monkeypatch.setattr(world, "ROWS", 160)  # a batch of 128 is among them
    tricks = composed(f"preset={preset}")
    assert all(set(s) == set(entry(name).settings) for name, s in tricks.items())
    if tricks:
        recipe = world.recipe_of((1, 8, 8), batch=64)
        refused = [p.sentence for p in trick_set([tricks]).problems(recipe) if p.refuse]
        assert not refused
    assert world.play(world.gan(tricks), 2).G.theta.isfinite().all()


def test_a_preset_says_what_its_document_says(composed):
    assert composed("preset=seed1") == {}
    wgan = composed("preset=wgan")
    assert wgan["n_critic"] == {"d_turns": 5, "g_turns": 1}
    assert wgan["rmsprop"]["lr"] == 5e-5


def test_a_setting_of_a_preset_can_be_overridden(composed):
    assert composed("preset=wgan", "trick.weight_clip.c=0.1")["weight_clip"]["c"] == 0.1
