"""Several folders in one report: joined where they agree, refused by name where they do not."""

import json
from dataclasses import replace

import pandas as pd
import pytest

from ablate.analysis import compare
from ablate.errors import UserError
from ablate.report.folder import report
from ablate.report.study import gather
from ablate.store import read, write_trial
from tests.analysis.designs import study as design
from tests.report.designs import write_design
from tests.store.synthetic import PROVENANCE, curves, metrics, status, trial, write_study

VALUES = {"reference": [20.0, 22.0, 19.0], "r1": [16.0, 18.0, 14.0]}


def put(folder, value=15.0, protocol=None, seeds=3, arm="ema_g", **fields):
    """Write trials of one arm that differ from the usual ones in `fields`."""
    for seed in range(seeds):
        one = replace(trial(arm, seed), **fields)
        table = metrics(value + seed)
        table = table if protocol is None else table.assign(protocol=protocol)
        write_trial(folder, vars(one), status(), table, curves(), {}, PROVENANCE)
    return folder


def declare(folder, **content):
    arms = [{"arm": "reference", "refused": [], "doubts": []}]
    told = {"arms": arms, "reference": "reference", "design": folder.name} | content
    (folder / "study.json").write_text(json.dumps(told))


def test_folders_that_agree_are_one_study(tmp_path):
    one = write_study(tmp_path / "one", VALUES)
    whole = write_study(tmp_path / "whole", VALUES)
    other, _ = put(tmp_path / "other"), put(whole)
    joined, expected = gather([one, other]).table, gather([whole]).table
    pd.testing.assert_frame_equal(joined, expected)
    pd.testing.assert_frame_equal(gather([other, one]).table, expected)


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"data": {"name": "mnist", "fraction": 1.0}}, "data.name is digits in one and mnist in"),
        ({"budget": {"images": 8000, "evaluations": 4, "samples": 2048}}, "budget.images is 4000"),
        ({"metric": {"extractor": "inception"}}, "metric.extractor is classifier in one and"),
        (
            {"data": {"name": "mnist", "fraction": 0.5}, "train": {"batch_size": 32}},
            "data.fraction is 0.5 in other and 1.0 in one; data.name is digits in one and mnist in "
            "other; train.batch_size is 32 in other and 64 in one",
        ),
    ],
)
def test_a_refusal_names_all_that_differs_and_where(tmp_path, fields, told):
    one, other = write_study(tmp_path / "one", VALUES), put(tmp_path / "other", **fields)
    with pytest.raises(UserError) as caught:
        gather([one, other])
    assert told in str(caught.value) and "as in --where " in caught.value.typed
    key = next(iter(fields))
    name, value = next(iter(fields[key].items()))
    typed = {f"{key}.{name}": trial().__dict__[key][name]}
    assert f"--where {key}." in caught.value.typed and value != typed[f"{key}.{name}"]
    chosen = gather([one, other], conditions=typed)
    assert set(chosen.table["arm"]) == set(VALUES)


def test_protocols_that_differ_are_named_with_what_to_type(place):
    one = write_study(place.path / "one", VALUES)
    other = put(place.path / "other", protocol="classifier:ffff/n=64/train")
    words = ("report", str(one), str(other), "-o", "out")
    assert place.type(*words) == 2
    assert "'classifier:1a2b3c4d/n=2048/train' in one" in place.err
    assert "'classifier:ffff/n=64/train' in other" in place.err
    asked = place.err.split("--protocol ")[1].strip(" .'\n")
    assert place.type(*words, "--protocol", asked) == 0, place.err


def test_one_name_with_other_settings_stays_two_arms(tmp_path):
    one = write_study(tmp_path / "one", VALUES)
    other = put(tmp_path / "other", arm="r1", tricks={"r1": {"strength": 9.0}})
    arms = set(gather([one, other]).table["arm"])
    assert arms == {"reference", "r1 (r1.strength=1.0)", "r1 (r1.strength=9.0)"}


def test_a_reference_with_tricks_stays_another_arm(tmp_path):
    one = write_study(tmp_path / "one", VALUES)
    other = put(tmp_path / "other", arm="reference", tricks={"ema_g": {"strength": 1.0}})
    found = gather([one, other])
    assert found.reference == "reference"
    assert set(found.table["arm"]) == {"reference", "reference (ema_g.strength=1.0)", "r1"}


def test_one_arm_and_seed_with_two_answers_is_refused_with_both_places(tmp_path):
    one = write_study(tmp_path / "one", VALUES)
    frame = pd.concat([read(one), read(one).assign(trial="f" * 16, study="other")])
    with pytest.raises(UserError, match=r"seed 0 twice \(trial [0-9a-f]{16} in one and f{16} in"):
        compare(frame, "fd_classifier")


def test_what_was_declared_is_kept_and_never_mixed(tmp_path):
    one, other = write_study(tmp_path / "one", VALUES), put(tmp_path / "other")
    usual = {"metric": None, "margin": None, "looks": [], "variance": "own"}
    declare(one, analysis=usual | {"margin": 5}, tuning_seeds=[7])
    declare(other, analysis=usual | {"margin": 5, "metric": "fd_classifier"}, tuning_seeds=[8])
    found = gather([one, other])
    assert found.decisions.margin == 5 and found.decisions.tuning_seeds == (7, 8)
    assert found.plan["analysis"]["metric"] == "fd_classifier"
    declare(other, analysis=usual)
    with pytest.raises(UserError, match=r"analysis\.margin is 5 in .*one and None in .*one by one"):
        gather([one, other])
    declare(other)
    assert gather([one, other]).decisions.margin == 5
    declare(other, tuning_seeds=[1])
    with pytest.raises(UserError, match=r"Seeds \[1\] chose the settings"):
        gather([one, other])


def test_more_seeds_of_one_design_are_one_design(tmp_path):
    factors = {"r1": ["off", "on"], "ema_g": ["off", "on"]}
    whole = write_design(tmp_path / "whole", design(factors), 4)
    for name, seeds in (("early", (0, 1)), ("late", (2, 3))):
        folder = tmp_path / name
        (folder / "trials").mkdir(parents=True)
        plan = json.loads((whole / "study.json").read_text()) | {"seeds": list(seeds)}
        (folder / "study.json").write_text(json.dumps(plan))
        for path in (whole / "trials").iterdir():
            if json.loads((path / "trial.json").read_text())["seed"] in seeds:
                (folder / "trials" / path.name).symlink_to(path)
    joined = gather([tmp_path / "early", tmp_path / "late"])
    pd.testing.assert_frame_equal(joined.answer.table, gather([whole]).answer.table)


def test_a_damaged_folder_is_listed_and_the_rest_reported(tmp_path):
    one, other = write_study(tmp_path / "one", VALUES), put(tmp_path / "other")
    lost = trial("ema_g", 1).id
    (other / "trials" / lost / "status.json").write_text("{")
    out = report([one, other], tmp_path / "out")
    assert (
        f"Set aside, as they cannot be read: {lost} (status.json:"
        in (out / "report.md").read_text()
    )
    manifest = json.loads((out / "manifest.json").read_text())
    assert manifest["set_aside"] == [lost] and len(manifest["trials"]) == 8


@pytest.mark.parametrize(
    ("scale", "higher", "told"),
    [
        ("difference", "false", "by differences (lower is better)"),
        ("ratio", "true", "by ratios (higher is better)"),
    ],
)
def test_scales_that_differ_are_named_and_not_joined(place, scale, higher, told):
    for name, arm in (("one", "plain"), ("two", "r1"), ("three", "r2")):
        rows = [f"{arm},{seed},score,{9.0 + seed}" for seed in range(3)]
        (place.path / f"{name}.csv").write_text("\n".join(["arm,seed,metric,value", *rows]))
        words = (scale, higher) if name == "two" else ("ratio", "false")
        options = zip(("scale", "higher_is_better"), words, strict=True)
        typed = [word for key, value in options for word in ("--value", f"{key}={value}")]
        assert place.type("import", f"{name}.csv", "--reference", arm, *typed) == 0, place.err
    both = ("--metric", "score", "--reference", "plain")
    assert place.type("compare", "results/one", "results/two", *both) == 2
    assert "score is compared by ratios (lower is better) in results/one and " in place.err
    assert f"{told} in results/two; import one of the tables again" in place.err
    assert place.type("compare", "results/one", "results/three", *both) == 0, place.err
