"""The search of one arm: known answers, one budget, the same after every kill."""

import json
import math
import random
import shutil
from dataclasses import replace

import pytest

from ablate.errors import UserError
from ablate.search.arm import UNSEEN
from tests.search.world import (
    GAMMA,
    LABELS,
    SAMPLERS,
    quality,
    rules_of,
    run,
    search_of,
    train,
    trial_with,
)

QUICK = [name for name in SAMPLERS if name != "gp"]
EARLY = ["median", "asha", "hyperband"]


def tried(book):
    return [(c.params, c.state, c.values, c.images, c.trials) for c in book.candidates]


@pytest.mark.parametrize("sampler", ["tpe", "cmaes"])
def test_finds_the_best_smoothing_range_and_penalty(tmp_path, sampler):
    search = search_of(tmp_path, rules=rules_of(sampler, trials=80))
    best = search.best(book := run(tmp_path, search))
    found = search.space.settings(best.params)
    labels, gamma = found["label_smooth"], found["r1"]["gamma"]
    assert labels["real_low"] == pytest.approx(LABELS[0], abs=0.06)
    assert labels["real_high"] == pytest.approx(LABELS[1], abs=0.06)
    assert labels["fake_high"] < 0.1
    assert abs(math.log10(gamma / GAMMA)) < 0.6
    assert best.values[0] < 0.25 * book.candidates[0].values[0]  # the arm's own settings


@pytest.mark.parametrize("pruner", EARLY)
def test_pruning_finds_the_same_winner_for_far_fewer_images(tmp_path, pruner):
    # Random proposals do not depend on results, so that both searches try the same settings.
    n, whole, early = 24, tmp_path / "whole", tmp_path / "early"
    ends = {}
    for folder, name in ((whole, "none"), (early, pruner)):
        search = search_of(folder, rules=rules_of("random", name, trials=n), trial=trial_with("r1"))
        book = run(folder, search)
        settings = [c.params["r1.gamma"] for c in book.candidates[:n]]
        first = replace(book, candidates=book.candidates[:n])
        ends[name] = (settings, search.best(first).number, sum(c.images for c in first.candidates))
    (a, winner, spent), (b, same, less) = ends["none"], ends[pruner]
    assert a == b
    assert same == winner
    assert less <= 0.6 * spent


@pytest.mark.parametrize("sampler", QUICK)
@pytest.mark.parametrize("pruner", ["none", "median"])
def test_spends_its_budget_to_within_one_setting(tmp_path, sampler, pruner):
    search = search_of(tmp_path, rules=rules_of(sampler, pruner, trials=9))
    book = run(tmp_path, search)
    assert search.budget - search.whole < book.images <= search.budget
    assert book.images == sum(
        json.loads((path / "status.json").read_text())["images"]
        for path in (tmp_path / "trials").iterdir()
    )


def test_the_arm_s_own_settings_are_tried_first(tmp_path):
    search = search_of(tmp_path)
    own = search.trials(search.advance().candidates[0])
    assert [t.id for t in own] == [search.trial.at_seed(s).id for s in search.rules.seeds]


def test_settings_of_an_earlier_search_come_next(tmp_path):
    known = {"label_smooth.real_low": 0.6, "label_smooth.real_high@share": 0.5,
             "label_smooth.fake_high": 0.1, "r1.gamma": 2.0}  # fmt: skip
    search = search_of(tmp_path, rules=rules_of(batch=3), first=[known])
    assert search.advance().candidates[1].params == known


@pytest.mark.parametrize("pruner", ["none", "median", "hyperband"])
@pytest.mark.parametrize("batch", [1, 3])
def test_a_search_that_is_killed_anywhere_tries_the_same(tmp_path, pruner, batch):
    rules = rules_of("tpe", pruner, trials=8, batch=batch)
    undisturbed = run(tmp_path / "one", search_of(tmp_path / "one", rules=rules))
    rng, folder = random.Random(0), tmp_path / "two"
    for _ in range(10_000):
        search = search_of(folder, rules=rules)  # a new process: nothing but the folder is known
        book = search.advance()
        if search.is_finished(book):
            break
        jobs = search.jobs(book)
        rng.shuffle(jobs)  # whichever worker is first
        for job in jobs[: rng.randint(0, len(jobs))]:
            train(folder, job)
            if rng.random() < 0.3:  # one of the trials was not written
                shutil.rmtree(folder / "trials" / rng.choice(job.trials).id)
                break
    assert tried(book) == tried(undisturbed)


@pytest.mark.parametrize("sampler", QUICK)
def test_more_trials_go_on_where_fewer_ended(tmp_path, sampler):
    few, many = rules_of(sampler, trials=5), rules_of(sampler, trials=9)
    run(tmp_path / "one", search_of(tmp_path / "one", rules=many))
    first = tried(run(tmp_path / "two", search_of(tmp_path / "two", rules=few)))
    search = search_of(tmp_path / "two", rules=many)
    assert tried(search.read()) == first
    book = run(tmp_path / "two", search)
    assert tried(book) == tried(search_of(tmp_path / "one", rules=many).read())
    assert tried(book)[: len(first)] == first


@pytest.mark.parametrize("sampler", ["tpe", "random", "qmc", "cmaes"])
def test_the_same_search_in_two_folders_tries_the_same(tmp_path, sampler):
    rules = rules_of(sampler, trials=6)
    one, two = (run(tmp_path / n, search_of(tmp_path / n, rules=rules)) for n in "ab")
    assert tried(one) == tried(two)
    assert len({str(c.params) for c in one.candidates}) == len(one.candidates)


def test_a_setting_that_diverged_is_told_and_never_best(tmp_path):
    def ends(trial):
        return "diverged" if trial.tricks["r1"]["gamma"] > 10 else "done"

    search = search_of(tmp_path, rules=rules_of("tpe", trials=30), trial=trial_with("r1"))
    book = run(tmp_path, search, ends)
    failed = [c for c in book.candidates if c.failed]
    good = [c for c in book.candidates if not c.failed]
    assert failed
    assert all(c.state == "COMPLETE" and c.failed == 3 for c in failed)
    assert all(math.isfinite(c.values[0]) for c in failed)
    assert search.best(book) in good
    # The sampler has learned from it: of the later half fewer fail than of the first.
    half = len(book.candidates) // 2
    assert sum(c.number >= half for c in failed) < sum(c.number < half for c in failed)
    frozen = search.frozen(failed[0])
    assert frozen.constraints == {"failed": 3.0}


def test_a_search_in_which_everything_fails_ends_and_has_no_best(tmp_path):
    search = search_of(tmp_path, rules=rules_of("tpe", trials=4))
    book = run(tmp_path, search, lambda _: "crashed")
    assert search.best(book) is None
    assert book.images == search.budget  # a crash is charged whole, or there would be no end
    assert book.candidates[0].values == (UNSEEN,)


def test_a_setting_that_cannot_be_trained_is_told_and_costs_nothing(tmp_path):
    def refusal(trial):
        return "too strong" if trial.tricks["r1"]["gamma"] > 1.5 else ""

    search = search_of(
        tmp_path, rules=rules_of("random", trials=6), trial=trial_with("r1"), refusal=refusal
    )
    book = run(tmp_path, search)
    refused = [c for c in book.candidates if c.refused]
    assert refused
    assert all(c.images == 0 and c.state == "COMPLETE" for c in refused)
    assert sum(not c.refused for c in book.candidates) == 6


def test_a_grid_ends_when_it_is_walked_through(tmp_path):
    search = search_of(tmp_path, rules=rules_of("grid", trials=50), trial=trial_with("r1"))
    book = run(tmp_path, search)
    tried_gammas = sorted(round(math.log10(c.params["r1.gamma"]), 6) for c in book.candidates)
    assert tried_gammas == [-3.0, 0.0, 0.0, 3.0]  # the yaml's own is on the grid as well


def test_an_arm_without_ranges_is_trained_once(tmp_path):
    search = search_of(tmp_path, trial=trial_with("batch_norm"))
    book = run(tmp_path, search)
    assert len(book.candidates) == 1
    assert search.best(book).number == 0


def test_two_objectives_give_a_front(tmp_path):
    rules = rules_of("tpe", trials=30, cost="device_seconds")
    search = search_of(tmp_path, rules=rules, trial=trial_with("r1"))
    front = search.front(book := run(tmp_path, search))
    for one in front:
        assert not any(
            other.values != one.values
            and other.values[0] <= one.values[0]
            and other.values[1] <= one.values[1]
            for other in book.candidates
        )
    assert [c.values[1] for c in front] == sorted(c.values[1] for c in front)
    assert search.best(book) is front[-1]
    assert len(front) > 1


def test_wilcoxon_trains_seeds_one_by_one_and_ends_hopeless_settings(tmp_path):
    seeds = tuple(range(1000, 1008))
    rules = rules_of("random", "wilcoxon", trials=8, seeds=seeds)
    search = search_of(tmp_path, rules=rules, trial=trial_with("r1"))
    book = run(tmp_path, search)
    pruned = [c for c in book.candidates if c.state == "PRUNED"]
    assert pruned
    assert all(len(c.reports) < len(seeds) for c in pruned)
    assert all(len(c.reports) == len(seeds) for c in book.candidates if c.state == "COMPLETE")
    assert len(book.candidates) > 8


def test_the_mean_over_seeds_is_of_logarithms(tmp_path):
    search = search_of(tmp_path)
    book = run(tmp_path, search)
    trials = search.trials(book.candidates[0])
    expected = sum(math.log(quality(t)) for t in trials) / len(trials)
    assert book.candidates[0].values[0] == pytest.approx(expected)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"seeds": (1, 1003, 1004)}, r"share \[1\].*type search.seeds=\[1001,1002,1003\]"),
        ({"trials": 0}, "gives no arm a single setting"),
        ({"batch": 1.5}, "search.batch=1.5"),
        ({"metric": "fd_rwa"}, "did you mean 'fd_raw'"),
        ({"cost": "device_second"}, "did you mean 'device_seconds'"),
        ({"cost": "device_seconds", "pruner": {"name": "median"}}, "type search/pruner=none"),
        ({"cost": "device_seconds", "sampler": {"name": "cmaes"}}, "knows one objective"),
        ({"sampler": {"name": "gp"}, "pruner": {"name": "median"}}, "search/sampler=tpe"),
        ({"pruner": {"name": "wilcoxon"}}, "fewer than five"),
    ],
)
def test_rules_that_cannot_be_followed_are_refused(changes, sentence):
    with pytest.raises(UserError, match=sentence):
        replace(rules_of(), **changes).check((0, 1), 5)


def test_a_pruner_needs_more_than_one_evaluation():
    with pytest.raises(UserError, match=r"type budget\.evaluations=5"):
        rules_of("tpe", "median").check((0,), 1)
