"""Numbers that are none, in every setting: an answer at once, in one sentence."""

import time

import pytest

import ablate.plan.preview
from ablate.cli import train as jobs
from ablate.data.fits import memory_bytes, told
from ablate.plan.calibrate import Estimate
from ablate.plan.design import random_subsets
from ablate.seams.setting import LARGEST
from ablate.trick import Setting
from tests.random_plans import random_command
from tests.small import SMALL

MOST_SECONDS = 10.0  # of this process; how busy the machine is does not count


@pytest.fixture
def untrained(monkeypatch):
    """Everything up to the first round of training, and nothing behind it."""
    monkeypatch.setattr(jobs, "train", lambda jobs, slots=None: ["done" for _ in jobs])
    timed = Estimate(1.0, 1.0, 1, 1)
    monkeypatch.setattr(ablate.plan.preview, "estimate", lambda *_: timed)


def typed(place, *words):
    """Return the exit code and the seconds that a command took of this process."""
    given = {word.partition("=")[0].lstrip("+") for word in words}
    small = [word for word in SMALL if word.partition("=")[0] not in given]
    start = time.process_time()
    code = place.type(*words, small=small)
    return code, time.process_time() - start


TOLD = [
    (["budget.samples=1e12"], "budget.samples=1000000000000 is more than 1,000,000,000"),
    (["train.latent_dim=1e12"], "train.latent_dim=1000000000000 is more than 1,048,576"),
    (["train.latent_dim=1e6", "model.width=65536"], "of memory, and this machine has"),
    (["model.width=1e21"], "model.width=1e+21 is more than 65,536"),
    (["model.depth=1e9"], "model.depth=1000000000 is more than 1,000"),
    (["model.depth=inf"], "model.depth=inf is no number that can be used"),
    (["model.depth=x"], "model.depth=x must be a whole number"),
    (["budget.images=1e15"], "is more than 1,000,000,000,000"),
    (["budget.images=-1e21"], "must be a whole number of at least 1"),
    (["budget.evaluations=1e12"], "is more than 100,000"),
    (["metric.neighbours=nan"], "metric.neighbours=nan is no number"),
    (["metric.neighbours=1.5"], "metric.neighbours=1.5 must be a whole number"),
    (["data.fraction=1e400"], "data.fraction=inf is no number"),
    (["seed=9223372036854775808"], "seed=9.22337e+18 has more than 64 bits"),
    ([f"seed={10**400}"], "seed is a number of 401 digits"),
    (["data.name={a:1}"], "data.name is {a:1}, which is no name"),
    (["metric.extractor=1e12"], "There is no extractor"),
    (["trick=[r1]", "trick.r1.gamma=1e300"], "trick.r1.gamma=1e+300 is not a number"),
    (["trick=[r1]", "trick.r1.gamma=.nan"], "trick.r1.gamma=.nan is not a number"),
    (["trick=[r1]", "trick.r1.every=1e9"], "type a whole number from 1 to 1024"),
    (["data=ring8", "model=mlp", "data.samples=1e12"], "data.samples=1000000000000 is more than"),
    (["data=stacked", "data.samples=1e12"], "data.samples=1000000000000 is more than"),
    (["-m", "seed=range(0,1e9)"], "-m names 1,000,000,000 trials; type at most 10,000"),
    (["-m", "seed=range(0,inf)"], "seed=range(0,inf) has no end"),
    (["-m", "seed=0,1", "trick=[r1]", "trick.r1.gamma=range(0,1e4)"], "-m names 20,000 trials"),
    (["seed=range(0,3)"], "add -m to train one trial for each, or type a list"),
]  # fmt: skip


@pytest.mark.parametrize(("words", "sentence"), TOLD, ids=lambda x: str(x)[:40])
def test_a_number_that_nobody_means_is_told_at_once(words, sentence, place):
    code, seconds = typed(place, "train", *words)
    assert code == 2
    assert sentence in place.err
    assert place.err.count("\n") == 1 and len(place.err) < 400
    assert seconds < MOST_SECONDS
    assert not (place.path / "results").exists()


STUDIES = [
    (["study.seeds=range(0,1e9)"], "study.seeds=range(0,1e9) names several values"),
    (["study.workers=true"], "study.workers=True must be a whole number"),
    (["study.stack=1e21"], "study.stack=1e+21 must be a whole number"),
    (["study.design=random_subsets", "study.subsets=1e12"], "is more than 4,096"),
    (["study.design=shapley", "study.permutations=1e12"], "is more than 4,096"),
    (["study.analysis.margin=inf"], "study.analysis.margin=inf is no number"),
    (["search=optuna", "search.trials=1e12"], "search.trials=1000000000000 is more than 100,000"),
    (["search=optuna", "search.metric=3"], "search.metric=3 is no name"),
    (["search=optuna", "search.cost=-inf"], "search.cost=-inf is no number"),
    (["search=optuna", "search.warm_start=true"], "search.warm_start=true is no name"),
    (["search=optuna", "search.settings=3"], "search.settings=3 is no list"),
    (["search=optuna", "search.seeds=[[1]]"], "search.seeds=[1] is no seed"),
    (["search=optuna", "search/sampler=grid", "search.sampler.points=100"], "makes a grid of"),
    (["search=optuna", "search/sampler=grid", "search.sampler.points=1e9"], "is more than 100;"),
]  # fmt: skip


@pytest.mark.parametrize(("words", "sentence"), STUDIES, ids=lambda x: str(x)[:40])
def test_a_study_that_nobody_could_train_is_told_at_once(words, sentence, place, untrained):
    code, seconds = typed(place, "plan", "demo", "trick=[label_smooth,ema_g,adam]", *words)
    assert code == 2
    assert sentence in place.err
    assert seconds < MOST_SECONDS


def test_a_budget_without_an_end_is_planned_in_closed_form(place, untrained):
    code, seconds = typed(place, "plan", "demo", "budget.images=1000000000000")
    assert code == 0, place.err
    assert "trainings of 1,000,000,000,000 images" in " ".join(place.out.split())
    assert seconds < MOST_SECONDS


def check_commands(place, seeds):
    ended = {0: 0, 2: 0}
    for seed in seeds:
        words = random_command(seed)
        code, seconds = typed(place, *words)  # anything but a UserError fails the test
        assert code in ended, (seed, words)
        assert "Traceback" not in place.out + place.err, (seed, words)
        assert code == 0 or place.err.strip(), (seed, words)
        assert seconds < MOST_SECONDS, (seed, words, seconds)
        ended[code] += 1
    return ended


def test_random_commands_end_in_a_sentence_or_a_plan(place, untrained):
    assert sum(check_commands(place, range(20)).values()) == 20


@pytest.mark.slow
def test_many_random_commands_end_in_a_sentence_or_a_plan(place, untrained):
    ended = check_commands(place, range(1000, 1300))
    assert sum(ended.values()) == 300
    assert ended[0] > 10, "most of them are refused, not all"


@pytest.mark.parametrize("value", [float("inf"), float("nan"), 1e300, 10**400, -(10**400)])
@pytest.mark.parametrize("kind", ["number", "integer", "factor"])
def test_no_setting_of_a_trick_takes_what_is_no_number(kind, value):
    with pytest.raises(ValueError, match="is not a"):
        Setting(kind).check("r1", "gamma", value)
    assert Setting("number").check("r1", "gamma", LARGEST) == LARGEST


def test_subsets_are_drawn_as_they_always_were():
    """The first n of one fixed order, each once: as a list that is looked through would give."""
    factors = {name: ("off", "on") for name in "abcd"}
    few, many = random_subsets(factors, 5), random_subsets(factors, 15)
    assert [arm.name for arm in many[:6]] == [arm.name for arm in few]
    assert len({arm.name for arm in many}) == 16


def test_bytes_are_told_in_words():
    assert [told(n) for n in (7, 1500, 170 * 10**9)] == ["7 bytes", "1.5 kB", "170 GB"]
    assert 10**9 < memory_bytes() < 10**15
