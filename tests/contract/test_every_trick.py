"""The contract: each law is stated once and holds for every trick there is."""

import ast
import gc
import inspect
import random
import subprocess
import sys
from itertools import combinations
from pathlib import Path

import pytest
import torch
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from ablate.config.catalog import conf_root, entry, names, trick_class
from ablate.core.rng import Moment
from ablate.runner.build import together
from ablate.train import ladder
from ablate.train.sample import chunk, measured
from ablate.train.slots import take
from ablate.trial import Trial
from ablate.trick import Trick
from tests.contract.laws import (
    ALL,
    CASES,
    double,
    each_case,
    each_trick,
    homes,
    problems,
    same_bits,
    signature,
    trained,
)
from tests.recorder import Recorded
from tests.world import BUILDS, gan, play, settings

__all__ = ["double"]
NEUTRAL = [(n, net) for n, net in CASES if trick_class(n).neutral is not None]
CHEAP = [(n, net) for n, net in CASES if trick_class(n).cheap]
COMPANY = [(one, other) for one in sorted({n for n, _ in CHEAP}) for other in ALL if one != other]
NUMBERS = [(n, net) for n, net in CASES if any(s.numeric for s in trick_class(n).settings.values())]
PAIRS = list(combinations(ALL, 2))


def turn():
    """Which sixth of all sets this commit's run takes: those of some commits take them all."""
    command = ["git", "-C", Path(__file__).parent, "rev-parse", "HEAD"]
    head = subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
    return int(head or "0", 16) % 6


def sixth(sets):
    """Return this run's share of the sets, which are shuffled once and for all."""
    return random.Random(0).sample(sets, len(sets))[turn() :: 6]


COMPANY_SAMPLED, SAMPLED = sixth(COMPANY), sixth(PAIRS)


def is_neutral(name):
    """The yaml's settings are the baseline's own."""
    neutral = trick_class(name).neutral
    return neutral is not None and settings(name, **neutral) == settings(name)


def spread(name):
    """Four settings of a trick that differ in every number, inside its search ranges."""
    e, s = entry(name), trick_class(name).settings
    trials = []
    for share in (1.0, 0.9, 0.8, 0.7):
        scaled = {
            k: v * share if s[k].numeric and v is not None else v for k, v in e.settings.items()
        }
        trials.append({name: scaled})
    return trials


# -- training -------------------------------------------------------------------------------------


@each_trick
def test_has_a_home(name):
    assert homes(name), problems({name: settings(name)}, "dcgan")


@each_case
def test_trains_alone(name, net):
    assert trained({name: settings(name)}, net).G.theta.isfinite().all()


@each_trick
def test_bites_unless_it_is_the_baseline(name):
    net = homes(name)[-1]
    same = same_bits(trained({name: settings(name)}, net), trained({}, net))
    assert same == is_neutral(name)


@pytest.mark.parametrize(("name", "net"), NEUTRAL, ids=["-".join(c) for c in NEUTRAL])
def test_is_the_baseline_at_its_neutral_settings(name, net):
    neutral = settings(name, **trick_class(name).neutral)
    assert same_bits(trained({name: neutral}, net), trained({}, net))


# -- sets -----------------------------------------------------------------------------------------


def check_pair(one, other):
    """A pair trains whatever its order, or refuses with a sentence."""
    net = next((n for n in reversed(BUILDS) if n in homes(one) and n in homes(other)), None)
    if net is None:
        pytest.skip(f"{one} and {other} share no network")
    tricks = {one: settings(one), other: settings(other)}
    refused = problems(tricks, net)
    if refused:
        assert all(s.endswith(".") and len(s) > 30 for s in refused)
        return
    forth = trained(tricks, net, rounds=3)
    back = trained(dict(reversed(tricks.items())), net, rounds=3)
    assert same_bits(forth, back)
    assert forth.G.theta.isfinite().all()


@pytest.mark.parametrize(("one", "other"), SAMPLED)
def test_a_pair_trains_in_any_order_or_refuses(one, other):
    check_pair(one, other)


@pytest.mark.slow
@pytest.mark.parametrize(("one", "other"), [p for p in PAIRS if p not in SAMPLED])
def test_every_other_pair_trains_in_any_order_or_refuses(one, other):
    check_pair(one, other)


# -- state ----------------------------------------------------------------------------------------


@each_case
def test_resumes_bit_for_bit(name, net):
    tricks = {name: settings(name)}
    whole = trained(tricks, net, rounds=9)
    first = trained(tricks, net, rounds=4)
    second = gan(tricks, net)
    second.load_state_dict(first.state_dict())
    second.feed.resume()
    assert torch.equal(signature(whole), signature(play(second, 5)))


@each_case
def test_only_settle_writes(name, net):
    g = trained({name: settings(name)}, net, rounds=3)
    g.feed.refill()
    before = {k: v.clone() for k, v in g.state_dict().items()}
    for turn in [t for stages in g.rounds for stage in stages for t in stage]:
        g.differentiate(turn, g.draw(grad=True))
    after = g.state_dict()
    assert all(torch.equal(before[k], after[k]) for k in before)


# -- the trial axis -------------------------------------------------------------------------------


@each_case
@pytest.mark.usefixtures("double")
def test_a_stack_equals_its_trials(name, net):
    trials = spread(name)
    stack = trained(trials, net, seeds=(3, 4, 5, 6), rounds=8)
    for k, tricks in enumerate(trials):
        alone = trained(tricks, net, seeds=(3 + k,), rounds=8)
        for player in ("G", "D"):
            torch.testing.assert_close(
                stack.nets[player].theta[k], alone.nets[player].theta[0], rtol=1e-9, atol=1e-12
            )


def assert_is(stack, slot, alone):
    """The trial in a slot is the only one of another stack, with all that it samples from."""
    for theirs, mine in ((of(stack), of(alone)) for of in (parameters, averages)):
        torch.testing.assert_close(theirs[slot], mine[0], rtol=1e-9, atol=1e-12)


def parameters(g):
    return torch.cat([g.G.theta, g.D.theta], 1)


def averages(g):
    return torch.cat([*g.tricks.sampler({"raw": g.G.theta}, g).values()], 1)


@each_case
@pytest.mark.usefixtures("double")
def test_a_trial_that_comes_later_or_moves_house_is_the_trial_alone(name, net):
    first, second, third, _ = spread(name)
    stack = gan([first, second], net, seeds=(3, 4))
    period = len(stack.rounds)
    start = period * -(-4 // period)
    play(stack, start)
    take(stack, [1], gan([third], net, seeds=(5,)), [0])
    stack.feed.begin([1])
    play(stack, 8)
    assert_is(stack, 0, trained(first, net, seeds=(3,), rounds=start + 8))
    assert_is(stack, 1, trained(third, net, seeds=(5,), rounds=8))
    house = gan([third], net, seeds=(9,))
    take(house, [0], stack, [1])
    house.feed.resume()
    assert_is(play(house, 3), 0, trained(third, net, seeds=(5,), rounds=11))


def check_beside(sets, net):
    """Arms with and without a cheap trick train in one stack as they train alone."""
    arms = [Trial(tricks, 0, {}, {}, {}, {}, {}) for tricks in sets]
    stack = trained([arm.tricks for arm in together(arms)], net, (3, 4, 5, 6)[: len(sets)], 8)
    for k, tricks in enumerate(sets):
        alone = trained(tricks, net, seeds=(3 + k,), rounds=8)
        assert outcome(stack).keys() == outcome(alone).keys()
        for key, value in outcome(alone).items():
            torch.testing.assert_close(outcome(stack)[key][k], value[0], rtol=1e-9, atol=1e-12)


def outcome(g):
    """Return both players, and what every generator draws at an evaluation."""
    thetas = g.tricks.sampler({"raw": g.G.theta}, g)
    with torch.no_grad():
        drawn = {f"{n} samples": chunk(g, measured(g, t), "c", 8) for n, t in thetas.items()}
    return {"G": g.G.theta, "D": g.D.theta, **drawn}


@pytest.mark.parametrize(("name", "net"), CHEAP, ids=["-".join(c) for c in CHEAP])
@pytest.mark.usefixtures("double")
def test_a_cheap_trick_trains_beside_its_absence(name, net):
    first, second, *_ = spread(name)
    check_beside([{}, first, {}, second], net)


def check_company(one, other):
    """A cheap trick beside its absence, where all arms have another trick; or the pair refuses."""
    net = next((n for n in reversed(BUILDS) if n in homes(one) and n in homes(other)), None)
    tricks = {one: settings(one), other: settings(other)}
    if net is not None and not problems(tricks, net):
        check_beside([{other: settings(other)}, tricks], net)


@pytest.mark.parametrize(("one", "other"), COMPANY_SAMPLED)
@pytest.mark.usefixtures("double")
def test_a_cheap_trick_trains_beside_its_absence_in_company(one, other):
    check_company(one, other)


@pytest.mark.slow
@pytest.mark.parametrize(("one", "other"), [p for p in COMPANY if p not in COMPANY_SAMPLED])
@pytest.mark.usefixtures("double")
def test_every_cheap_trick_trains_beside_its_absence_in_all_company(one, other):
    check_company(one, other)


@each_trick
def test_what_is_cheap_is_neutral_by_numbers_and_multiplies_nothing_by_zero(name):
    cls = trick_class(name)
    if cls.cheap:
        assert cls.neutral
        assert all(cls.settings[key].numeric for key in cls.neutral)
        for seam in ("penalty", "sampler", "recipe", "phases", "adversary", "gate", "point"):
            assert getattr(cls, seam) is getattr(Trick, seam), seam


@each_case
def test_slots_can_be_permuted_bit_for_bit(name, net):
    trials = spread(name)
    forth = trained(trials, net, seeds=(3, 4, 5, 6))
    back = trained(trials[::-1], net, seeds=(6, 5, 4, 3))
    assert torch.equal(forth.G.theta, back.G.theta.flip(0))
    assert torch.equal(forth.D.theta, back.D.theta.flip(0))


@each_case
def test_a_dead_trial_touches_no_other(name, net):
    tricks = {name: settings(name)}
    clean, sick = (gan(tricks, net, seeds=(1, 2, 3)) for _ in range(2))
    sick.G.theta[1] = float("nan")
    play(clean, 3), play(sick, 3)
    for player in ("G", "D"):
        for k in (0, 2):
            assert torch.equal(clean.nets[player].theta[k], sick.nets[player].theta[k])


# -- draws and the device -------------------------------------------------------------------------


@pytest.fixture
def draws(monkeypatch):
    """Log every draw as (path, owner, key), in order."""
    log, bits = [], Moment.bits

    def logged(self, owner, n):
        keys = self.key.flatten().tolist()
        log.extend((self.path, owner, key) for key in keys)
        return bits(self, owner, n)

    monkeypatch.setattr(Moment, "bits", logged)
    return log


@each_case
def test_moves_no_draw_of_others_and_draws_nothing_twice(name, net, draws):
    g = gan({name: settings(name)}, net)
    draws.clear()
    play(g, 4)
    mine = list(draws)
    draws.clear()
    base = gan({}, net)
    draws.clear()
    play(base, 4)
    assert len(mine) == len(set(mine)), "two consumers share a draw"
    if g.feed.batch == base.feed.batch and g.feed.latent == base.feed.latent:
        assert set(draws) <= set(mine)


@each_case
def test_never_asks_the_device_for_a_number(name, net):
    members = {name: settings(name)}
    with FakeTensorMode(allow_non_fake_inputs=False):
        g = gan(members, net)
        for stages in g.rounds:
            g.feed.refill()
            g.play(stages)
            g.feed.count()


class OneDevice(TorchDispatchMode):
    """Lists the operators of a round on another device that are given, or make, a tensor here."""

    def __init__(self):
        super().__init__()
        self.here = set()

    def __torch_dispatch__(self, operator, types, args=(), kwargs=None):
        made = operator(*args, **(kwargs or {}))
        touched = [x for x in tree_leaves((args, kwargs, made)) if isinstance(x, torch.Tensor)]
        if any(x.device.type == "cpu" for x in touched):
            self.here.add(str(operator))
        return made


@each_case
def test_brings_nothing_from_the_host_in_a_round(name, net):
    # A copy from the host cannot be captured, and a graph would repeat the numbers of its first.
    g = gan({name: settings(name)}, net, seeds=(1, 2)).to("meta")
    for stages in g.rounds:
        g.feed.refill()
        with OneDevice() as seen:
            g.play(stages)
        assert not seen.here
        g.feed.count()


def test_a_number_from_the_host_is_seen():
    with OneDevice() as seen:
        torch.ones(2, device="meta") * torch.tensor([1.0, 2.0]).to("meta")
    assert seen.here


@each_case
def test_a_replayed_round_is_the_round(name, net, monkeypatch):
    monkeypatch.setattr(ladder, "Cuda", Recorded)
    plain, g = (gan({name: settings(name)}, net, seeds=(1, 2)) for _ in range(2))
    replayed = ladder.captured(g, g.play)
    for _ in range(2 * len(g.rounds) + 1):
        g.feed.refill()
        replayed(g.rounds[g.feed.played % len(g.rounds)])
        g.feed.count()
    play(plain, g.feed.played)
    theirs = dict(plain.named_buffers())
    assert all(torch.equal(b, theirs[n]) for n, b in g.named_buffers())


# -- words ----------------------------------------------------------------------------------------


@each_case
def test_a_round_leaves_no_cycle_behind(name, net):
    # A cycle keeps the round's graph, on a GPU its memory too, until Python happens to look.
    g = play(gan({name: settings(name)}, net), 2)
    gc.disable()
    gc.freeze()  # look at the round's objects alone
    try:
        play(g, 2)
        assert gc.collect() == 0
    finally:
        gc.unfreeze()
        gc.enable()


@each_trick
def test_names_agree(name):
    cls = trick_class(name)
    assert cls.name == name
    assert entry(name).target == f"ablate.tricks.{name}.{cls.__name__}"
    assert list(entry(name).settings) == list(cls.settings)


@each_trick
def test_what_may_be_searched_are_settings_and_values_that_they_take(name):
    known = trick_class(name).settings
    for key, given in entry(name).search.items():
        ends = given.get("choices") or [given[end] for end in ("low", "high") if end in given]
        assert len(ends) > 1 or "above" in given
        assert [known[key].check(name, key, value) for value in ends] == ends


@each_trick
def test_says_what_it_is_and_where_it_is_from(name):
    cls = trick_class(name)
    assert "Source:" in cls.__doc__
    assert cls.group
    assert cls.summary().endswith(".")
    assert len(cls.summary()) <= 96


def test_every_file_of_tricks_has_its_yaml():
    folder = Path(sys.modules["ablate.tricks"].__file__).parent
    files = {f.stem for f in folder.glob("*.py")} - {"__init__"}
    assert files == set(names())
    assert (conf_root() / "conf" / "trick").is_dir()


def test_the_step_names_no_trick():
    from ablate.core import step

    words = {
        n.id if isinstance(n, ast.Name) else n.attr
        for n in ast.walk(ast.parse(inspect.getsource(step)))
        if isinstance(n, ast.Name | ast.Attribute)
    }
    seams = set(vars(Trick))  # a trick may be called like the seam it plays: latent
    assert not words & (set(ALL) - seams)
