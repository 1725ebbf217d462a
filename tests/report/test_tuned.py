"""A study and what followed its search in one report: both tables, and what tuning changed."""

import json
import re
import shutil

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from ablate.analysis.decisions import Decisions
from ablate.analysis.metric import metric_of
from ablate.analysis.paired import paired_t
from ablate.analysis.tuned import changed
from ablate.errors import UserError
from ablate.report.folder import contents, report
from ablate.report.study import gather
from ablate.report.summary import summarize
from ablate.store import write_trial
from ablate.store.plan import hash_of, read_plan
from tests.store.synthetic import PROVENANCE, blobs, curves, metrics, status, trial

BEFORE = {
    "reference": [20.0, 22.0, 19.0, 25.0, 21.0],
    "r1": [30.0, 33.0, 29.0, 36.0, None],
    "ema_g+r1": [18.0, 19.5, 17.5, 22.0, 19.0],
}
AFTER = {
    "reference": [20.0, 22.0, 19.0, 25.0, 21.0],  # its own setting was the best
    "r1": [12.0, 13.1, 11.5, 14.8, 12.4],
    "ema_g+r1": [17.9, 19.9, 17.0, 22.5, 18.8],
}
SEARCHED = {"settings": {"complete": 3, "pruned": 1}, "failed": 1, "images": 9000,
            "budget_images": 9600, "best": 2, "value": 2.5}  # fmt: skip
METRIC = metric_of("fd_classifier")


def put(folder, arm, seed, value, strength):
    """Write a trial whose tricks have `strength`, unless it is there."""
    names = [] if arm == "reference" else arm.split("+")
    one = trial(arm, seed, {name: {"strength": strength} for name in names})
    ended = status() if value else status("diverged")
    table = metrics(value) if value else metrics(1.0).iloc[:0]
    samples = {"raw": blobs(value / 30, seed)} if value else {}
    write_trial(folder, vars(one), ended, table, curves(), samples, PROVENANCE)
    return one


REPEATED = {
    arm: [values[i % 5] * (1 + 0.003 * i) for i in range(6)] for arm, values in AFTER.items()
}


def declare(folder, trials, **more):
    content = "".join(f"{one.to_json()}\n" for one in trials).encode()
    (folder / "plan.jsonl").write_bytes(content)
    arms = [{"arm": arm, "refused": [], "doubts": []} for arm in BEFORE]
    told = {"arms": arms, "reference": "reference", "seeds": [0, 1, 2, 3, 4], "design": "presets"}
    told |= {"plan_sha256": hash_of(content), **more}
    (folder / "study.json").write_text(json.dumps(told))


def write_tuned(folder, before=BEFORE, after=AFTER, **told):
    """Write a study with its tuned one inside, as a search leaves them."""
    inside = folder / "tuned"
    inside.mkdir(parents=True)
    for place, values, strength in ((folder, before, 1.0), (inside, after, 0.123456)):
        found = 0.1 if "repeats" in told and place == inside else 0.0  # in every repeat another
        planned = [
            put(folder, arm, seed, value, strength + found * (seed // 2))
            for arm, row in values.items() for seed, value in enumerate(row)
        ]  # fmt: skip
        search = [
            SEARCHED | {"arm": arm, "searched": [f"{t}.strength" for t in arm.split("+")],
                        "tricks": {t: {"strength": 0.123456} for t in arm.split("+")}, "front": []}
            for arm in after
        ]  # fmt: skip
        more = {"tuning_seeds": [100, 101], "tuning_metric": "fd_classifier", "search": search}
        more |= told
        declare(place, planned, **(more if place == inside else {}))
    (inside / "trials").symlink_to("../trials")
    return folder


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return write_tuned(tmp_path_factory.mktemp("results") / "demo")


@pytest.fixture(scope="module")
def built(study, tmp_path_factory):
    return report([study], tmp_path_factory.mktemp("reports") / "demo")


def test_what_tuning_changed_is_the_paired_t_of_each_arm_against_itself(study):
    table = gather([study]).changed.set_index("reference")
    assert set(table.index) == set(BEFORE)
    both = np.log([AFTER["r1"][:4], BEFORE["r1"][:4]])
    expected = paired_t(*both)
    assert table.loc["r1", "effect_mean"] == pytest.approx(expected.mean, rel=1e-12)
    assert table.loc["r1", "p"] == pytest.approx(expected.p, rel=1e-9)
    assert table.loc["r1", "p_holm"] == pytest.approx(2 * expected.p, rel=1e-9)
    assert list(table["verdict"]) == ["better", "inconclusive", "identical"]


def test_no_seed_of_the_search_is_paired(study):
    found = gather([study])
    with pytest.raises(UserError, match="chose the settings"):
        changed(found.final, found.tuned.final, METRIC, Decisions(tuning_seeds=(3,)))


def test_each_table_is_that_of_its_own_report(study, tmp_path):
    found = gather([study])
    alone = gather([study / "tuned"])
    pd.testing.assert_frame_equal(found.tuned.table, alone.table)
    assert alone.tuned is None and alone.changed.empty
    shutil.copytree(study, tmp_path / "demo", symlinks=True)
    shutil.rmtree(tmp_path / "demo" / "tuned")
    pd.testing.assert_frame_equal(found.table, gather([tmp_path / "demo"]).table)


def test_one_report_has_both_clearly_headed(built):
    lines = (built / "report.md").read_text().splitlines()
    assert lines[1].startswith(
        "Untuned. **`ema_g+r1` is better than `reference` (0.898 [0.879, 0.919]); `r1` hurts (with "
        "it 1.491 [1.434, 1.551]).** In brackets: ratio of `fd_classifier` to `reference`"
    )
    assert lines[3].startswith(
        "Tuned. **At the settings of one search, no result for a trick: `r1` (with it 0.5966) and "
    )
    heads = [line for line in lines if line.startswith("## ")]
    assert heads[:5] == [
        "## Untuned: what the study asks",
        "## Tuned: what the study asks",
        "## Tuned: reasons",
        "## What tuning changed, arm by arm",
        "## Ranks",
    ]
    assert "## What the search has tried" in heads
    told = "| **r1** | **31.9 ± 3.1** | **12.7 ± 1.2** | **0.401 [0.390, 0.412]** |"
    assert [line for line in lines if line.startswith(told)]
    text = "\n".join(lines)
    assert "r1.strength=0.1235" in text and "Searched on seeds 100, 101" in text


def test_every_file_is_there_and_the_same_again(study, built, tmp_path):
    names = {path.name for path in built.iterdir()}
    assert {"arms.png", "tuned.png", "tuned.csv", "tuning.csv", "tuned.tex", "search.csv"} <= names
    content = json.loads((built / "manifest.json").read_text())
    assert len(content["trials"]) == len(content["tuned_trials"]) == 15
    assert len(set(content["trials"]) & set(content["tuned_trials"])) == 5  # of the reference
    again = contents(gather([study]))
    assert {name: (built / name).read_bytes() for name in names} == again
    told = (built / "tuned.tex").read_text()
    assert "best setting of its search" in told and "tab:tuned-arms-fd-classifier" in told


def test_every_number_of_the_page_leads_to_trials_of_its_own_study(study, built):
    page = (built / "report.html").read_text().split("<script")[0]
    ids = re.findall(r'id="([^"]+)"', page)
    leads = re.findall(r'href="#([^"]+)"', page)
    assert len(ids) == len(set(ids)) and set(leads) <= set(ids)
    for lead in ("trials-1", "tuned-trials-1"):
        assert lead in leads
    found = gather([study])
    for prefix, one in (("", found), ("tuned-", found.tuned)):
        place = list(one.table["arm"]).index("r1")
        told = page.split(f'id="{prefix}trials-{place}"')[1].split("</details>")[0]
        own = set(one.final.loc[one.final["arm"] == "r1", "trial"])
        assert set(re.findall(r"[0-9a-f]{16}", told)) == own


def test_a_tuned_arm_is_behind_the_page_once_beside_its_pairs(study, built):
    page = (built / "report.html").read_text()
    found = gather([study])
    assert "(tuned)" not in page
    place = list(found.tuned.table["arm"]).index("r1")
    told = page.split(f'id="tuned-trials-{place}"')[1].split("</details>")[0]
    rows = [re.findall(r"<td>(.*?)</td>", row) for row in told.split("<tr>")[2:]]
    ratios = np.divide(AFTER["r1"][:4], BEFORE["r1"][:4])
    np.testing.assert_allclose([float(row[-1]) for row in rows[:4]], ratios, rtol=1e-5)
    assert rows[4][-1] == "\N{EN DASH}" and page.count("tuned: r1: 5 of 5") >= 1


def test_the_terminal_and_the_summary_have_both(study, capsys):
    from ablate.cli.main import main

    assert main(["compare", str(study)]) == 0
    out = capsys.readouterr().out
    places = [out.index(word) for word in ("Untuned", "Tuned: each arm", "What tuning changed")]
    assert places == sorted(places) and "identical" in out
    text = summarize(gather([study]))
    assert text.index("Untuned. **`ema_g+r1` is") < text.index(
        "\nTuned. **At the settings of one search"
    )


def test_a_tuned_study_that_has_not_begun_is_no_part_of_it(tmp_path):
    folder = write_tuned(tmp_path / "demo")
    planned = [trial(arm, seed, {"never": {}}) for arm in BEFORE for seed in range(5)]
    declare(folder / "tuned", planned, tuning_seeds=[100])
    assert gather([folder]).tuned is None


def test_several_folders_are_joined_without_what_followed_one_of_them(study, tmp_path):
    other = tmp_path / "other"
    for seed in range(5):
        put(other, "weight_clip", seed, 15.0 + seed, 1.0)
    assert gather([study, other]).tuned is None


@pytest.fixture(scope="module")
def repeated(tmp_path_factory):
    """A study of six seeds, searched three times over."""
    before = {
        arm: [value * (1 if arm == "reference" else 3) for value in values]
        for arm, values in REPEATED.items()
    }
    told = {"seeds": list(range(6)), "repeats": [[0, 1], [2, 3], [4, 5]]}
    return write_tuned(tmp_path_factory.mktemp("results") / "demo", before, REPEATED, **told)


def test_a_study_that_was_searched_more_than_once_counts_repeats(repeated, tmp_path):
    found = gather([repeated])
    logs = np.log(np.divide(REPEATED["r1"], REPEATED["reference"])).reshape(3, 2).mean(axis=1)
    one = found.tuned.table.set_index("arm").loc["r1"]
    assert one["effect_mean"] == pytest.approx(logs.mean(), rel=1e-9)
    assert one["p"] == pytest.approx(stats.ttest_1samp(logs, 0.0).pvalue, rel=1e-9)
    assert (one["pairs"], one["trials"], one["verdict"]) == (3, 3, "better")
    tuning = found.changed.set_index("reference")
    assert tuning.loc["r1", "pairs"] == 3
    built = report([repeated], tmp_path / "report")
    text = (built / "report.md").read_text()
    tuned = text[text.index("## Tuned: ") : text.index("## What tuning changed")]
    assert "The search was repeated 3 times" in tuned
    assert "over 3 repeats" in tuned and "repeat SD" in tuned and "seed SD" not in tuned
    assert "3 repeats" in (built / "tuned.tex").read_text()
    assert "repeat SD" in (built / "report.html").read_text()
    searched = pd.read_csv(built / "search.csv")
    assert list(searched["repeat"]) == [1, 1, 1]


def test_before_a_repeat_is_whole_there_is_no_tuned_table(repeated, tmp_path):
    folder = tmp_path / "demo"
    shutil.copytree(repeated, folder, symlinks=True)
    for one in read_plan(folder / "tuned"):
        if one.seed in (1, 3, 5):
            shutil.rmtree(folder / "trials" / one.id)
    assert gather([folder]).tuned is None


def test_of_one_search_no_table_has_an_interval(study, built):
    found = gather([study]).tuned
    assert found.table[["low", "high", "p_holm"]].isna().all().all()
    text = (built / "report.md").read_text()
    tuned = text[text.index("## Tuned: ") : text.index("## What tuning changed")]
    assert "These settings were found by one search" in tuned and "over 5 seeds" in tuned
    assert "r1: one search, not a result for the trick if searches of one arm differ by" in tuned
    assert "It is about the setting that one search found" in text
    csv = pd.read_csv(built / "tuned.csv")
    primary = csv[csv["role"] == "primary"] if "primary" in set(csv["role"]) else csv
    assert primary[["low", "p_holm", "rank_low"]].isna().all().all()


def test_failures_of_one_search_are_counted_and_not_tested(tmp_path):
    after = AFTER | {"r1": [12.0, None, 11.5, None, 12.4]}
    folder = write_tuned(tmp_path / "demo", after=after) / "tuned"
    found = gather([folder])
    assert found.table.set_index("arm").loc["r1", ["failed", "verdict"]].to_list() == [
        2,
        "one search",
    ]
    files = contents(found)
    assert not {"policies.csv", "reliability.csv"} & files.keys()
    text = files["report.md"].decode()
    assert "Failures are counted and not tested" in text and "McNemar" not in text
    assert "Statistics: described and not tested." in text
    assert "; no test. Inconclusive" in summarize(found)
