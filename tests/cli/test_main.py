"""The commands as they are typed, and mistakes as they are made."""

import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from ablate.cli.hydra_app import more_trials
from ablate.cli.main import main
from ablate.config.catalog import names
from tests.small import SMALL

ROOT = Path(__file__).parents[2]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT)}

MISTAKES = [
    (["trick=[label_smoth]"], "There is no trick 'label_smoth'; did you mean 'label_smooth'."),
    (["trick=[label_smooth]", "trick.label_smooth.real_lo=1"], "did you mean 'real_low'."),
    (["trick.ema_g.rampup=3"], "Trick ema_g is not selected; type trick=[ema_g]."),
    (["trick=[r1]", "trick.ema_g.rampup=3"], "type trick=[r1,ema_g]."),
    (["+trick.ema_g.rampup=3"], "type trick=[ema_g]"),
    (["trick.ema.x=3"], "There is no trick 'ema'; did you mean"),
    (["trick=[loss_hinge,loss_wasserstein]"], "each define the adversarial loss; keep one"),
    (["trick=[gp_interp,batch_norm]"], "exclude each other"),
    (["trick=[label_smooth,loss_wasserstein]"], "there is no target to smooth"),
    (["trick=[label_smooth]", "trick.label_smooth.fake_high=5"], "label_smooth.fake_high=5"),
    (["tricks=[ema_g]"], "There is no key 'tricks'; did you mean 'trick'."),
    (["trian.batch_size=3"], "There is no key 'trian'; did you mean 'train'."),
    (["+train.lr=0.1"], "There is no key 'lr' in train; type one of batch_size, channels_last"),
    (["+budget.epochs=50"], "There is no key 'epochs' in budget; type one of curve_points"),
    (["+model.dropout=0.5"], "There is no key 'dropout' in model; type one of depth, name, width"),
    (["+metric.samples=9"], "There is no key 'samples' in metric"),
    (["+seeds=3"], "There is no key 'seeds'; did you mean 'seed'."),
    (["tracker.moed=x"], "did you mean 'mode' of tracker=wandb?"),
    (["data.size=8"], "There is no key 'size' in data=digits; did you mean 'size' of data="),
    (["~tracker"], "tracker is missing; type tracker=none and leave out ~tracker."),
    (["~seed"], "seed is missing; type seed=0 and leave out ~seed."),
    (["~train.precision"], "train.precision is missing; type train.precision=float32"),
    (["~data.name"], "data.name has no value; type data=NAME"),
    (["~budget.images"], "budget.images"),
    (["trick=null"], "trick=null names nothing; type trick=[] for none."),
    (["data=null"], "data=null names nothing; type one of cifar10, digits"),
    (["trick=3"], "trick=3 names nothing"),
    (["trick=[[r1]]"], "The configuration does not compose"),
    (["model=[mlp,dcgan]"], "names several; type one of them, or -m model=mlp,dcgan"),
    (["out=null"], "out=null is no value; type out=results/train."),
    (["out="], "out= is empty; type out=FOLDER."),
    (["seed=null"], "seed=null is no value; type seed=0."),
    (["train.latent_dim=null"], "train.latent_dim=null is no value; type train.latent_dim=100."),
    (["seed=1.5"], "seed=1.5 is no seed"),
    (["budget.samples={a:1}"], "budget.samples={a:1} is no value; type budget.samples=2048."),
    (["+preset.x=1"], "preset is not there; type preset=NAME"),
    (["trick=[r1]", "trick.r1._target_=x.Y"], "trick.r1._target_ cannot be changed"),
    (["trick=[r1]", "+trick.r1.search.gamma.hihg=3"], "did you mean 'high'"),
    (["code=old"], "code=old is none; type code=current"),
    (["train.batch=3"], "There is no key 'batch' in train; did you mean 'batch_size'."),
    (["budget.image=3"], "did you mean 'images'"),
    (["data=minst"], "There is no data 'minst'; did you mean 'mnist'."),
    (["model=dcgn"], "did you mean 'dcgan'"),
    (["preset=seed9"], "did you mean 'seed"),
    (["data="], "type one of cifar10, digits"),
    (["trick=[ema_g"], "several tricks as trick=[a,b]"),
    (["seed"], "type key=value"),
    (["seed=0,1"], "add -m to train one trial for each"),
    (["trick=ema_g,r1"], "or trick=[ema_g,r1] for a set of them"),
    (["seed=-1"], "seed=-1 is no seed"),
    (["seed=one"], "seed=one is no seed"),
    (["train.batch_size=abc"], "train.batch_size=abc must be a whole number of at least 1"),
    (["train.batch_size=0"], "train.batch_size=0 must be a whole number of at least 1"),
    (["train.channels_last=maybe"], "type true or false"),
    (["rung=grahp"], "There is no rung 'grahp'; did you mean 'graph'."),
    (["rung=graph", "device=cpu"], "type rung=auto or rung=compiled"),
    (["train.precision=fp8"], "There is no train.precision 'fp8'"),
    (["train=3"], "train holds further keys"),
    (["budget.images=0"], "at least 1"),
    (["model.width=0"], "at least 1"),
    (["data=ring8"], "model=mlp"),
    (["model=module"], "model.generator has no default; type model.generator="),
    (["model=resnet"], "32 pixels"),
    (["device=cuda:99"], "CUDA devices here; type device=auto"),
    (["device=gpu"], "type device=auto, cpu, cuda"),
    (["data=mnist"], "data.root"),
    (["data=image_folder", "data.root=nowhere"], "nowhere"),
    (["tracker=mlflow"], "type one of none, wandb"),
    (["out=/dev/null/x"], "Cannot write to /dev/null/x"),
    (["out=/proc/x"], "Cannot write to /proc/x"),
    (["--config-dir", "nowhere"], "There is no folder nowhere"),
    (["seed=1", "--dry-run"], "There is no option '--dry-run'"),
]


@pytest.mark.parametrize(("words", "sentence"), MISTAKES, ids=[" ".join(w) for w, _ in MISTAKES])
def test_a_mistake_is_one_sentence_and_nothing_is_written(place, words, sentence):
    small = [w for w in SMALL if words != ["model=module"] or "width" not in w]
    assert place.type("train", *words, small=small) == 2
    assert sentence in place.err
    assert len(place.err.splitlines()) == 1
    assert not (place.path / "results").exists()


def test_all_mistakes_of_a_trick_set_are_told_at_once(place):
    tricks = "trick=[loss_hinge,loss_wasserstein,gp_interp,batch_norm]"
    assert place.type("train", tricks) == 2
    assert "keep one" in place.err
    assert "exclude each other" in place.err


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["trian"], "There is no command 'trian'; did you mean 'train'."),
        (["sweep", "dmeo"], "There is no study 'dmeo'; did you mean 'demo'."),
        (["sweep", "mine.yaml"], "There is no file mine.yaml"),
        (["tricks", "label_smoth"], "did you mean 'label_smooth'"),
        (["report", "nowhere", "-o", "r"], "There is no folder nowhere"),
        (["report", "nowhere"], "required: -o/--out; `ablate report --help` shows"),
        (["data", "fetch", "minst", "--root", "."], "minst"),
    ],
)
def test_a_mistyped_command_is_one_sentence(place, words, sentence):
    assert place.type(*words) == 2
    assert sentence in place.err
    assert len(place.err.splitlines()) == 1


def test_a_file_that_is_no_study_is_told(place):
    for text in ("a: [", "[1, 2]", "seed: 3", ""):
        (place.path / "mine.yaml").write_text(text)
        assert place.type("sweep", "mine.yaml") == 2
        assert "mine.yaml" in place.err


def python(code, *words):
    """Return what a fresh interpreter prints."""
    done = subprocess.run(
        [sys.executable, "-c", code, *words], capture_output=True, text=True, check=True,
        env=ENVIRONMENT, cwd="/",
    )  # fmt: skip
    return done.stdout


@pytest.mark.parametrize("words", [["--help"], ["train", "--help"], ["sweep", "--help"]])
def test_help_imports_nothing_heavy(words):
    code = """
import sys
from ablate.cli.main import main
try:
    main(sys.argv[1:])
finally:
    print("modules", *sys.modules)
"""
    modules = set(python(code, *words).splitlines()[-1].split())
    heavy = {"torch", "hydra", "omegaconf", "pandas", "numpy", "rich", "wandb", "optuna"}
    assert "ablate.cli.main" in modules
    assert not modules & heavy


def test_help_takes_less_than_half_a_second():
    """Of a processor: the clock on the wall also counts what others do."""
    seconds = []
    for _ in range(3):
        start = spent()
        assert "ablate sweep demo" in python(
            "import runpy, sys; sys.argv = ['ablate', '--help']; "
            "runpy.run_module('ablate', run_name='__main__')"
        )
        seconds.append(spent() - start)
    assert min(seconds) < 0.5


def spent():
    """Return the seconds of a processor that ended children have taken."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def test_help_lists_what_can_be_typed(place):
    assert place.type("train", "--help", small=()) == 0
    assert "digits, fashion_mnist" in place.out
    assert "smoke" in place.out
    assert main(["sweep"]) == 0
    assert "leave_one_out" in place.capture.readouterr().out


def test_all_tricks_are_listed_and_each_has_a_card(place):
    assert place.type("tricks") == 0
    for name in names():
        assert f"  {name} " in place.out
    for name in names():
        assert place.type("tricks", name) == 0
        assert "cost" in place.out
        assert "source" in place.out


def test_a_card_shows_parameters_ranges_rules_and_source(place):
    assert place.type("tricks", "label_smooth") == 0
    shown = " ".join(place.out.split())
    assert "real_low 0.7 number from 0 to 2 0.5 to 1" in shown
    assert "needs a loss with targets between 0 and 1" in shown
    assert "arXiv 1606.03498" in shown
    assert "trick=[label_smooth]" in shown


OWN = '''
from ablate.trick import Trick, number

class OwnCalm(Trick):
    """Targets are pulled to the middle.

    Source: nobody.
    """

    group = "labels"
    strength = number(0, 1)

    def target(self, target, side, at):
        return target * (1 - self.strength[:, None]) + 0.5 * self.strength[:, None]
'''


def test_a_trick_of_ones_own_from_a_folder_of_ones_own(place, monkeypatch):
    from ablate.config import catalog

    monkeypatch.setattr(catalog, "_further", [])
    monkeypatch.syspath_prepend(str(place.path))
    (place.path / "own_tricks_here.py").write_text(OWN)
    (place.path / "conf/trick").mkdir(parents=True)
    (place.path / "conf/trick/own_calm.yaml").write_text(
        "own_calm: {_target_: own_tricks_here.OwnCalm, strength: 0.5}\n"
    )
    try:
        assert place.type("train", "--config-dir", "conf", "trick=[own_calm]") == 0, place.err
        assert len(place.trials()) == 1
        assert place.type("tricks", "own_calm", "--config-dir", "conf") == 0
        assert "pulled to the middle" in place.out
        assert place.type("train", "--config-dir", "conf", "trick=[own_clam]") == 2
        assert "did you mean 'own_calm'" in place.err
    finally:
        catalog.names.cache_clear()
        catalog.entry.cache_clear()


def test_a_study_becomes_a_report(place):
    words = ("trick=[ema_g,label_smooth]", "hydra/launcher=basic", "study.seeds=[0,1]")
    assert place.type("sweep", "leave_one_out", *words) == 0, place.err
    assert place.type("report", "results/leave_one_out", "-o", "reports/mine") == 0, place.err
    assert "without ema_g" in place.out
    assert (place.path / "reports/mine/report.md").is_file()


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ([], []),
        (["out=x"], ["out=x"]),
        (["--add-trials", "3", "out=x"], ["search.add=3", "out=x"]),
        (["out=x", "--add-trials=3"], ["out=x", "search.add=3"]),
    ],
)
def test_more_trials_are_an_override(typed, meant):
    assert more_trials(typed) == meant


def test_a_folder_of_tricks_that_is_not_there_is_told(place):
    assert place.type("tricks", "--config-dir", "nowhere") == 2
    assert "There is no folder nowhere; type --config-dir DIR" in place.err
    assert place.out == ""
