"""Searches that are repeated: draws, tuning seeds and scoring seeds of their own."""

import json
from itertools import combinations

import pytest

from ablate.plan.search_file import searches
from ablate.search.journal import read_book
from ablate.store import read
from ablate.store.plan import read_plan
from tests.plan import forks
from tests.plan.test_search import BASIC, FOLDER, TUNED
from tests.small import SMALL

REPEATED = [*TUNED, "search.repeats=3", "study.seeds=[0,1,2,3,4,5]", "search.trials=2"]


@pytest.fixture(scope="module")
def repeated(tmp_path_factory):
    """A study of three searches an arm."""
    folder = tmp_path_factory.mktemp("repeated")
    command = ["sweep", REPEATED[0], *SMALL, *REPEATED[1:], BASIC, f"cache={folder / 'cache'}"]
    assert forks.run(folder, command) == 0, (folder / "log").read_text()
    return folder / FOLDER


def test_repeats_share_neither_draws_nor_seeds(repeated):
    planned = json.loads((repeated / "search.json").read_text())
    assert planned["repeats"] == [[0, 1], [2, 3], [4, 5]]
    drawn, tuned_on = [], []
    for number in range(3):
        arms = [arm for arm in planned["arms"] if arm["repeat"] == number]
        assert [arm["seeds"] for arm in arms] == [planned["repeats"][number]] * 2
        books = [read_book(repeated / "search" / f"{arm['key']}.json") for arm in arms]
        drawn.append([book.candidates[1].params["adam.lr"] for book in books])
        tuned_on.append({arm["trial"]["seed"] for arm in arms})
    assert tuned_on == [{7}, {9}, {11}]
    for one, other in combinations(drawn, 2):
        assert not set(one) & set(other)


def test_each_repeat_is_scored_on_its_own_seeds_at_what_it_found(repeated):
    study = json.loads((repeated / "tuned" / "study.json").read_text())
    assert study["tuning_seeds"] == [7, 8, 9, 10, 11, 12]
    trials = read_plan(repeated / "tuned")
    assert sorted((t.arm, t.seed) for t in trials) == [
        (arm, seed) for arm in ("reference", "with r1") for seed in range(6)
    ]
    found = {(one["arm"], one["repeat"]): one["tricks"] for one in study["search"]}
    for trial in trials:
        assert trial.tricks == found[trial.arm, trial.seed // 2]
    assert set(read(repeated / "tuned")["seed"]) == set(range(6))


def test_every_search_has_a_name_of_its_own(repeated):
    assert list(searches(repeated)) == [
        f"{arm}, repeat {number} of 3" for number in (1, 2, 3) for arm in ("reference", "with r1")
    ]


def test_more_repeats_go_on_from_one(place):
    assert place.type("sweep", *TUNED, BASIC, "search.trials=2") == 0, place.err
    folder = place.path / FOLDER
    one = {arm["key"] for arm in searches(folder).values()}
    before = {path: path.stat().st_mtime_ns for path in (folder / "trials").iterdir()}
    assert place.type("sweep", *REPEATED, BASIC) == 0, place.err
    assert one < {arm["key"] for arm in searches(folder).values()}
    assert (
        before.items()
        <= {path: path.stat().st_mtime_ns for path in (folder / "trials").iterdir()}.items()
    )


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["search.repeats=0"], "type search.repeats=1"),
        (["search.repeats=yes"], "type search.repeats=1"),
        (["search.repeats=3"], "type study.seeds=[0,1,2]"),
        (["search.repeats=1000000"], "type search.repeats=5"),
        (["search.repeats=2", "search.warm_start=results/x"], "type search.warm_start=null"),
        (["search.repeats=2", "study.seeds=[0,9]"], "type search.seeds=[1009,1010]"),
        (
            ["search.repeats=3", "study.seeds=[0,1,2]", "study.analysis.looks=[3]"],
            "type study.analysis.looks=[]",
        ),
        (
            ["search.repeats=3", "study.seeds=[0,1,2,3,4,5]", "study.analysis.variance=guarded",
             "study.design=leave_one_out", "trick=[r1,ema_g,instance_noise,adam]"],
            "search.repeats=5",
        ),
    ],
)  # fmt: skip
def test_what_repeats_cannot_be_is_refused(place, words, told):
    assert place.type("sweep", *TUNED, BASIC, *words) == 2
    assert told in place.err, place.err
    assert not (place.path / FOLDER / "search.json").exists()


def test_arms_with_seeds_of_their_own_have_no_repeats(place):
    words = [
        "study.design=shapley",
        "study.permutations=2",
        "trick=[r1,adam,ema_g,instance_noise,init_gauss]",
    ]
    assert place.type("sweep", *TUNED, BASIC, *words, "search.repeats=2") == 2
    assert "type study.permutations=null" in place.err


def test_a_plan_tells_the_power_after_the_search(place):
    assert place.type("plan", *TUNED, BASIC) == 0, place.err
    assert "Power after the search: none" in place.out
    words = ["search.repeats=5", "study.seeds=[0,1,2,3,4,5,6,7,8,9]", "search.seeds=[100,101]"]
    assert place.type("plan", *TUNED, BASIC, *words) == 0, place.err
    # SD sqrt(2 * 0.1^2 + 0.1^2 / 2) = 0.158 and 4 degrees of freedom, noncentral t
    assert "5 repeats of 2 seeds, SD 0.16 in logs" in place.out
