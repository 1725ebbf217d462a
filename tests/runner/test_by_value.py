"""Numbers that are set make the config that Hydra composes, to the last key."""

import itertools

import pytest
from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.errors import ConfigCompositionException
from omegaconf import OmegaConf, open_dict

from ablate.cli.train import job_of
from ablate.config.catalog import conf_root
from ablate.runner.by_value import ByValue
from tests.small import SMALL


@pytest.fixture
def hydra(tmp_path):
    """Hydra's own loader, the config of a multirun, and words that every job has."""
    with initialize_config_dir(str(conf_root() / "conf"), version_base="1.3"):
        master = compose("config", ["hydra/launcher=stack"], return_hydra_config=True)
        HydraConfig.instance().set_config(master)
        yield GlobalHydra.instance().config_loader(), master, [*SMALL, f"cache={tmp_path}"]


def jobs(*axes):
    """Return the overrides of all jobs, as Hydra's sweeper does: the last axis is the fastest."""
    return [list(words) for words in itertools.product(*axes)]


SWEEPS = {
    "seeds": jobs(["seed=0", "seed=1", "seed=7"]),
    "arms": jobs(["trick=[]", "trick=[r1]", "trick=[r1,ema_g]"], ["seed=0", "seed=1"]),
    "numbers": jobs(
        ["trick=[label_smooth]"],
        ["trick.label_smooth.real_low=0.5", "trick.label_smooth.real_low=1"],
        ["trick.label_smooth.clamp=true", "trick.label_smooth.clamp=false"],
        ["budget.images=64", "budget.images=96"],
    ),
    "words": jobs(["budget=smoke", "budget=screen"], ["metric.split=held_out"], ["seed=2"]),
    "twice": jobs(["seed=1"], ["seed=2", "seed=3"]),
    "ranges": jobs(["trick=[r1]"], [f"trick.r1.search.gamma.high={n}" for n in (5, 6)]),
    "any order": [["seed=1", "model=mlp"], ["model=mlp", "seed=2"], ["seed=3", "model=mlp"]],
    "referred to": jobs(["seed=3", "seed=4"], ["out=results/s${seed}"]),
    "a number for a tree": jobs(["train=1", "train=2"], ["seed=1", "seed=2"]),
    "null": jobs(["trick=[weight_clip]"], ["trick.weight_clip.c=null", "trick.weight_clip.c=0.1"]),
}
HYDRAS = {
    "added": jobs(["+budget.more=1", "+budget.more=2"]),
    "forced": jobs(["++seed=1", "++seed=2"]),
    "taken away": jobs(["~train.channels_last"], ["seed=1", "seed=2"]),
    "a tree": jobs(["train={batch_size:4}"], ["train.batch_size=8", "train.batch_size=16"]),
    "of hydra": jobs(["hydra.verbose=true"], ["seed=1", "seed=2"]),
    "a tree of a group": jobs(["budget={images:32}"], ["budget.images=64", "budget.images=96"]),
    "a number for a choice": jobs(["tracker=1"], ["seed=1"]),
}


def plain(config):
    return OmegaConf.to_container(config, resolve=False)


@pytest.mark.parametrize("sweep", [*SWEEPS, *HYDRAS])
def test_a_job_has_the_config_that_hydra_composes(hydra, sweep):
    loader, master, _ = hydra
    mine = ByValue(loader)
    for words in (SWEEPS | HYDRAS)[sweep]:
        try:
            theirs = loader.load_sweep_config(master, words)
        except (ConfigCompositionException, ValueError) as error:
            with pytest.raises(type(error)):
                mine.load_sweep_config(master, words)
            continue
        assert plain(mine.load_sweep_config(master, words)) == plain(theirs)
        task = mine.task(master, words)
        assert (task is None) == (sweep in HYDRAS)
        with open_dict(theirs):
            del theirs["hydra"]
        assert task is None or plain(task) == plain(theirs)
        assert task is None or OmegaConf.is_struct(task)


@pytest.mark.parametrize("sweep", ["arms", "numbers", "referred to", "ranges"])
def test_a_job_is_the_job_that_hydra_would_have_started(hydra, sweep):
    loader, master, small = hydra
    mine = ByValue(loader)
    for words in SWEEPS[sweep]:
        theirs = loader.load_sweep_config(master, [*small, *words])
        with open_dict(theirs):
            del theirs["hydra"]
        one, other = job_of(mine.task(master, [*small, *words])), job_of(theirs)
        assert (one.trial, one.place, one.tree) == (other.trial, other.place, other.tree)
        assert one.trial.id == other.trial.id


def test_an_arm_is_composed_once(hydra, monkeypatch):
    loader, master, _ = hydra
    mine, composed = ByValue(loader), []
    whole = loader.load_sweep_config
    monkeypatch.setattr(loader, "load_sweep_config", lambda m, o: composed.append(o) or whole(m, o))
    for words in SWEEPS["arms"]:
        mine.load_sweep_config(master, words)
        mine.task(master, words)
    assert len(composed) == 3
    for words in SWEEPS["numbers"]:
        mine.task(master, words)
    assert len(composed) == 4


def test_a_key_that_is_none_is_refused_for_every_job(hydra):
    loader, master, _ = hydra
    mine = ByValue(loader)
    for seed in (1, 2):
        with pytest.raises(ConfigCompositionException):
            mine.load_sweep_config(master, ["trick=[r1]", "trick.r1.gama=3", f"seed={seed}"])
