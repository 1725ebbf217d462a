"""More training is no trick: arms are compared at the last evaluation that all trials share."""

import numpy as np
import pandas as pd
import pytest

from ablate.analysis import compare
from ablate.analysis.final import final_values
from ablate.analysis.metric import Metric
from ablate.errors import UserError
from ablate.report.shown import cut_short
from tests.analysis.table import FD, table

METRIC = Metric("fd", "ratio", higher_is_better=False)


def points(ends, seeds=3, **changed):
    """Return a table in which arm ends at its images, of evaluations 1000 apart.

    The value is images + 10 seed + the arm's place, so that each says where it is from.
    """
    parts = []
    for place, (arm, end) in enumerate(ends.items()):
        for images in range(1000, end + 1, 1000):
            values = [images + 10.0 * seed + place for seed in range(seeds)]
            parts.append(table({arm: values}, images=images).assign(images_shown=end))
    return pd.concat(parts, ignore_index=True).assign(**changed)


def value(final, arm, seed=0):
    return final.set_index(["arm", "seed"]).loc[(arm, seed), "value"]


def test_the_last_shared_evaluation_decides():
    final = final_values(points({"reference": 4000, "a": 2000, "b": 3000}), METRIC)
    assert set(final["compared_images"]) == {2000}
    assert [value(final, arm, 2) for arm in ("reference", "a", "b")] == [2020, 2021, 2022]
    assert final.groupby("arm")["last_images"].max().to_dict() == {
        "a": 2000, "b": 3000, "reference": 4000
    }  # fmt: skip


def test_arms_that_end_alike_are_compared_at_their_ends_whatever_lies_before():
    frame = points({"reference": 4000, "a": 4000})
    frame = frame[(frame["arm"] == "a") | (frame["images"] != 2000)]
    assert set(final_values(frame, METRIC)["compared_images"]) == {4000}


def test_one_trial_that_ends_early_holds_all_back_and_is_told():
    frame = points({"reference": 3000, "a": 3000})
    short = (frame["arm"] == "a") & (frame["seed"] == 1) & (frame["images"] > 1000)
    found = compare(frame[~short], "fd", **FD)
    assert set(found["compared_images"]) == {1000}
    told = cut_short(found)
    assert "Compared at 1000 images" in told and "a at 1000 to 3000" in told
    assert "reference at 3000" in told and "Costs are of whole trials" in told
    assert cut_short(compare(frame, "fd", **FD)) == ""


@pytest.mark.parametrize("status", ["diverged", "crashed", "killed", "pruned", "collapsed"])
def test_a_trial_that_failed_is_a_failure_and_no_shorter_budget(status):
    frame = points({"reference": 3000, "a": 3000})
    short = (frame["arm"] == "a") & (frame["seed"] == 1)
    frame.loc[short, "status"] = status
    final = final_values(frame[~(short & (frame["images"] > 1000))], METRIC)
    assert set(final.loc[~final["failed"], "compared_images"]) == {3000}
    assert final.loc[final["failed"], ["arm", "seed"]].to_numpy().tolist() == [["a", 1]]


@pytest.mark.parametrize("lost", [np.nan, np.inf])
def test_a_last_value_that_is_lost_is_a_failure_and_no_earlier_one_stands_in(lost):
    frame = points({"reference": 3000, "a": 3000})
    last = (frame["arm"] == "a") & (frame["seed"] == 1) & (frame["images"] == 3000)
    frame.loc[last, "value"] = lost
    final = final_values(frame, METRIC)
    assert set(final.loc[~final["failed"], "compared_images"]) == {3000}
    assert final.loc[final["failed"], ["arm", "seed"]].to_numpy().tolist() == [["a", 1]]


def test_a_point_without_a_value_is_not_shared():
    frame = points({"reference": 3000, "a": 2000})
    gap = (frame["arm"] == "reference") & (frame["seed"] == 0) & (frame["images"] == 2000)
    frame.loc[gap, "value"] = np.nan
    assert set(final_values(frame, METRIC)["compared_images"]) == {1000}


def test_no_shared_evaluation_is_refused_by_name():
    frame = points({"reference": 3000, "a": 2000})
    frame = frame[(frame["arm"] == "a") | (frame["images"] == 3000)]
    with pytest.raises(UserError, match=r"different images \(a 2000, reference 3000\)") as caught:
        final_values(frame, METRIC)
    assert "--ignore images" in caught.value.typed and "--" not in str(caught.value)


def test_images_that_are_not_told_stand_beside_equal_ones_only():
    told, untold = points({"reference": 3000}), points({"a": 1000}).assign(images=0)
    final = final_values(pd.concat([told, untold]), METRIC)
    assert value(final, "reference") == 3000.0
    both = pd.concat([points({"reference": 3000, "b": 2000}), untold])
    with pytest.raises(UserError, match="a not told, b 2000, reference 3000"):
        final_values(both, METRIC)


def test_each_arm_s_own_generator_has_its_own_evaluations():
    frame = points({"reference": 3000, "a": 3000})
    raw = frame.assign(generator="raw")
    ema = frame[(frame["arm"] == "a") & (frame["images"] <= 2000)].assign(generator="ema")
    final = final_values(pd.concat([raw, ema]), METRIC)
    assert set(final["compared_images"]) == {2000}
