"""Cost over the reference's: a ratio of seconds, and how far it is known."""

import numpy as np
import pandas as pd
import pytest

from ablate.analysis import compare
from tests.analysis.table import FD, table

VALUES = {"reference": [20.0, 22.0, 19.0, 25.0], "a": [18.0, 21.0, 17.0, 24.0]}
OWN, THEIRS = np.array([31.0, 29.5, 33.0, 30.0]), np.array([20.0, 19.0, 21.5, 20.5])


def timed(own, theirs, share=1.0, **columns):
    """Return the row of `a`; `share` of its wall time is a trial's device time."""
    frame = table(VALUES)
    seconds = np.concatenate([theirs, own])
    frame = frame.assign(device_seconds=seconds, wall_seconds=seconds / share, **columns)
    return compare(frame, "fd", **FD).set_index("arm").loc["a"]


def test_the_spread_is_that_of_the_ratios_seed_by_seed():
    row = timed(OWN, THEIRS)
    assert row["relative_cost"] == pytest.approx(np.mean(OWN) / np.mean(THEIRS))
    assert row["relative_cost_sd"] == pytest.approx(np.std(OWN / THEIRS, ddof=1))


def test_the_trials_of_a_stack_are_one_timing_and_have_no_spread():
    row = timed(OWN, THEIRS, share=1 / 2)
    assert row["relative_cost"] == pytest.approx(np.mean(OWN) / np.mean(THEIRS))
    assert np.isnan(row["relative_cost_sd"])


def test_two_seeds_have_no_spread():
    frame = table({arm: row[:2] for arm, row in VALUES.items()})
    found = compare(frame.assign(device_seconds=[1.0, 2.0, 3.0, 4.0]), "fd", **FD)
    assert found["relative_cost_sd"].isna().all()


def test_seconds_of_two_devices_do_not_compare():
    row = timed(OWN, THEIRS, device=["cpu"] * 4 + ["cpu", "cpu", "cpu", "NVIDIA H200"])
    assert np.isnan(row["relative_cost"]) and np.isnan(row["relative_cost_sd"])


def test_a_failed_trial_costs_nothing_here():
    frame = table({"reference": [20.0, 22.0, 19.0, 25.0], "a": [18.0, 21.0, 17.0, None]})
    seconds = np.concatenate([THEIRS, OWN])
    frame = frame.assign(device_seconds=seconds, wall_seconds=seconds)
    row = compare(frame, "fd", **FD).set_index("arm").loc["a"]
    assert row["relative_cost"] == pytest.approx(np.mean(OWN[:3]) / np.mean(THEIRS))
    assert row["relative_cost_sd"] == pytest.approx(np.std(OWN[:3] / THEIRS[:3], ddof=1))


@pytest.mark.parametrize("seconds", [0.0, float("nan")])
def test_unknown_seconds_are_no_cost(seconds):
    row = timed(OWN, np.full(4, seconds))
    assert pd.isna(row["relative_cost"]) and pd.isna(row["relative_cost_sd"])
