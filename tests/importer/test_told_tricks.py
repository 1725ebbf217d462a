"""A column `tricks` of a table: taken as it is written, or told in one sentence."""

import json

import pandas as pd
import pytest

from ablate.cli.main import main
from ablate.store import read

OTHERS = [
    "1.5", "3", "sn and gp", "[1]", '["r1"]', '{"r1":7}', "{broken", '{"r1":{"gamma":NaN}}',
    '{"r1":{"gamma":1e999}}', "null", "yes", '{"r1":{"a":' + "[" * 5000 + "]" * 5000 + "}}",
]  # fmt: skip


def save(folder, reference, other, seeds=(0, 1)):
    rows = [(arm, seed, tricks) for seed in seeds
            for arm, tricks in (("reference", reference), ("r1", other))]  # fmt: skip
    frame = pd.DataFrame(rows, columns=["arm", "seed", "tricks"])
    frame.assign(fid=[20.0, 10.0, 22.0, 11.0]).to_csv(folder / "theirs.csv", index=False)
    named = ["--value", "metric=fid", "--column", "value=fid"]
    return ["import", str(folder / "theirs.csv"), "-o", str(folder / "out"), *named]


@pytest.mark.parametrize("text", OTHERS, ids=lambda text: text[:20])
def test_tricks_that_are_none_are_told_and_nothing_is_written(tmp_path, capsys, text):
    assert main(save(tmp_path, "{}", text)) == 2
    told = capsys.readouterr().err.strip()
    assert "tricks in row 2" in told and "--ignore tricks" in told
    assert len(told.splitlines()) == 1 and len(told) < 300 + len(str(tmp_path))
    assert not (tmp_path / "out").exists()


def test_without_the_column_the_same_table_is_taken(tmp_path):
    assert main([*save(tmp_path, "sn", "gp"), "--ignore", "tricks"]) == 0
    assert set(read(tmp_path / "out")["arm"]) == {"reference", "r1"}


def test_settings_are_taken_in_our_own_spelling(tmp_path):
    assert main(save(tmp_path, " { } ", '{"r1": {"p": 2, "gamma": 1.0}}')) == 0
    frame = read(tmp_path / "out").set_index("arm")["tricks"]
    assert set(frame["reference"]) == {"{}"}  # the arm without tricks is found by just this text
    assert set(frame["r1"]) == {'{"r1":{"gamma":1.0,"p":2}}'}


@pytest.mark.parametrize("empty", ["", None, "nothing beside it"])
def test_empty_cells_stand_for_an_arm_of_which_nothing_is_told(tmp_path, empty):
    other = "{}" if empty == "nothing beside it" else empty
    assert main(save(tmp_path, None, other)) == 0
    told = read(tmp_path / "out").set_index("arm")["tricks"].map(json.loads)
    assert all(set(one) == {"imported"} for one in told["reference"])


def test_two_arms_of_one_trick_set_are_not_made_one(tmp_path, capsys):
    assert main(save(tmp_path, "{}", "{}")) == 2
    told = capsys.readouterr().err
    assert "'r1' and 'reference' have the same tricks under seed 0, {}" in told
    assert not (tmp_path / "out").exists()
