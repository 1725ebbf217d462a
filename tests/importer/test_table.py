"""A table in, the same analysis out; what is missing or doubtful is told and nothing is written."""

import errno
import json
import os

import numpy as np
import pandas as pd
import pytest

from ablate.analysis import compare
from ablate.cli.main import main
from ablate.disk import sealed, unsealed
from ablate.errors import UserError
from ablate.importer.arms import design_of
from ablate.importer.asked import Reading
from ablate.importer.table import import_table
from ablate.report.folder import report
from ablate.report.study import gather
from ablate.store import read, read_curves
from ablate.store.imported import write_imported
from tests.analysis.designs import study as design
from tests.report.designs import EFFECTS, write_design
from tests.store.synthetic import metrics, trial, write, write_study

VALUES = {
    "reference": [20.0, 22.0, 19.0, 25.0, 21.0],
    "r1": [16.0, 18.0, 14.0, 21.0, 17.0],
    "weight_clip": [20.0, None, None, 24.0, 19.0],
}
FACTORS = {name: ["off", "on"] for name in list(EFFECTS)[:3]}


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    """A results folder of ours, with failures and averaged weights."""
    folder = write_study(tmp_path_factory.mktemp("results") / "demo", VALUES)
    for seed, value in enumerate([12.0, 13.5, 11.2, 15.0, 12.9]):
        write(folder, "ema_g", seed, value, generators=("raw", "ema"))
    return folder


def plain(values=None, **columns):
    """Return the least that a table needs."""
    rows = [
        {"arm": arm, "seed": seed, "metric": "fid", "value": value}
        for arm, row in (values or VALUES).items()
        for seed, value in enumerate(row)
    ]
    return pd.DataFrame(rows).assign(**columns)


def save(folder, frame, name="theirs.csv"):
    path = folder / name
    frame.to_parquet(path) if name.endswith("parquet") else frame.to_csv(path, index=False)
    return path


def taken(folder, frame, name="theirs", reading=None, analysis=None, **options):
    """Import `frame` and return the results folder."""
    out = folder / "results" / name
    import_table(save(folder, frame), out, reading, analysis, **options)
    return out


def without_study(frame):
    return frame.drop(columns="study").reset_index(drop=True)


@pytest.mark.parametrize("name", ["own.csv", "own.parquet"])
def test_an_exported_table_comes_back_as_it_was(own, tmp_path, name):
    frame = read(own)
    mixed = frame.sample(frac=1.0, random_state=0)
    import_table(save(tmp_path, mixed, name), tmp_path / "back")
    back = read(tmp_path / "back")
    pd.testing.assert_frame_equal(without_study(back), without_study(frame))
    assert set(back["study"]) == {"back"}
    pd.testing.assert_frame_equal(compare(back, "fd_classifier"), compare(frame, "fd_classifier"))


def test_the_order_of_rows_changes_nothing(tmp_path):
    frame = plain()
    one = read(taken(tmp_path, frame, "one"))
    other = read(taken(tmp_path, frame.iloc[::-1], "other"))
    keys = ["trial", "arm", "seed", "value", "status"]
    pd.testing.assert_frame_equal(one[keys], other[keys])


def test_the_least_gives_what_all_columns_give(own, tmp_path):
    few = read(own).query("generator == 'raw' and images == 4000 and arm != 'ema_g'")
    out = taken(tmp_path, few[["arm", "seed", "metric", "value"]])
    expected = compare(few, "fd_classifier")
    got = compare(read(out), "fd_classifier", "reference")
    for name in ("arm", "mean", "seed_sd", "pairs", "effect", "low", "high", "p_holm"):
        np.testing.assert_array_equal(got[name], expected[name])


def test_columns_of_zeros_and_ones_are_a_factorial(tmp_path):
    folder = write_design(tmp_path / "own", design(FACTORS), 3)
    frame = read(folder).query("images == 4000")
    switches = frame[[*FACTORS, "seed", "metric", "value"]]
    found = gather([taken(tmp_path, switches)])
    expected = gather([folder])
    assert found.answer.design == "full_factorial" and found.reference == "reference"
    keys = ["effect", "low", "high", "p_holm", "seeds"]
    order = expected.answer.table["term"]
    got = found.answer.table.set_index("term").loc[order, keys].reset_index(drop=True)
    # orders of rows differ, and so the last digits of least squares
    pd.testing.assert_frame_equal(got, expected.answer.table[keys], rtol=1e-9)


def test_a_half_fraction_and_arms_that_are_no_design(tmp_path):
    names = list("abcd")
    signs = [[int(bit) for bit in f"{k:04b}"] for k in range(16)]
    rows = [dict(zip(names, row, strict=True)) for row in signs if sum(row) % 2 == 0]
    frame = pd.DataFrame(rows).merge(pd.DataFrame({"seed": [0, 1, 2]}), how="cross")
    frame["value"] = 20.0 + np.random.default_rng(0).normal(size=len(frame))
    half = gather([taken(tmp_path, frame.assign(metric="fid"), "half")])
    assert half.answer.design == "fractional_factorial"
    assert "a:b = c:d" in set(half.answer.table["term"])
    absent = frame[frame[names].sum(axis=1) < 4].assign(metric="fid")
    seven = gather([taken(tmp_path, absent, "seven")]).answer
    assert seven.design == "fractional_factorial" and set("abcd") < set(seven.table["term"])
    assert seven.notes[0] == "7 of the 8 arms of this design have results."
    some = frame[frame[names].sum(axis=1) < 4].query("a == 0 or b == 0").assign(metric="fid")
    found = gather([taken(tmp_path, some.query("c == 0 or d == 0"), "some")])
    assert found.answer.kind == "arms"


@pytest.mark.parametrize(
    ("arms", "design"),
    [
        (["", "a", "b", "c"], "imported"),  # one at a time
        (["", "abc", "ab", "ac", "bc"], "imported"),  # leave one out
        (["", "a", "b", "c", "ac", "bc"], "full_factorial"),  # a with b cannot be
        (["", "ab", "ac", "bc"], "fractional_factorial"),
        (["", "a", "b", "ab", "c", "ac", "bc"], "full_factorial"),
        (["", "a", "b"], "imported"),
    ],
)
def test_what_arms_of_on_and_off_are(arms, design):
    on = np.array([[name in arm for name in "abc"] for arm in arms], float)
    assert design_of(on) == design


@pytest.mark.parametrize("seeds", [[0], [0, 1, 2]])
def test_tricks_one_at_a_time_stay_arms(tmp_path, seeds):
    rows = pd.DataFrame(np.vstack([np.zeros(4, int), np.eye(4, dtype=int)]), columns=list("abcd"))
    frame = rows.merge(pd.DataFrame({"seed": seeds}), how="cross")
    frame["value"] = 20.0 + np.random.default_rng(0).normal(size=len(frame))
    answer = gather([taken(tmp_path, frame.assign(metric="fid"), "one")]).answer
    assert answer.kind == "arms" and not answer.missing


def test_random_arms_get_a_regression(tmp_path):
    rng = np.random.default_rng(0)
    rows = pd.DataFrame(rng.integers(0, 2, (20, 6)), columns=list("abcdef"))
    rows.loc[0] = 0
    frame = rows.drop_duplicates().merge(pd.DataFrame({"seed": [0, 1, 2]}), how="cross")
    frame["value"] = 20.0 * np.where(frame["a"], 0.7, 1) + rng.normal(0, 0.5, len(frame))
    answer = gather([taken(tmp_path, frame.assign(metric="fid"), "rand")]).answer
    table = answer.table.set_index("term")
    assert answer.kind == "effects" and sorted(table.index) == list("abcdef")
    assert table.loc["a", "verdict"] == "better"


def test_zeros_and_ones_beside_arms_are_tricks_only_if_they_name_them(tmp_path):
    frame = plain().assign(finished=[1, 0] * 7 + [1], clips=lambda f: f["arm"] == "weight_clip")
    frame["penalty"] = (frame["arm"] == "r1").astype(int)
    got = import_table(save(tmp_path, frame), tmp_path / "out")
    assert got.tricks == ["clips", "penalty"] and got.left_out == ["finished"]
    assert read(tmp_path / "out").groupby("arm")["penalty"].max().to_dict() == {
        "r1": 1, "reference": 0, "weight_clip": 0
    }  # fmt: skip
    vague = frame.drop(columns="penalty")
    assert import_table(save(tmp_path, vague), tmp_path / "vague").tricks == []


def test_names_are_data(tmp_path):
    odd = ["=1+1", "<script>alert(1)</script>", "@SUM(A1)", "-x", "a_b$%&#", "007", "1e3", "NA"]
    values = dict(zip(["reference", *odd], [[20.0, 21.0, 22.0]] * 9, strict=True))
    out = taken(tmp_path, plain(values))
    assert set(read(out)["arm"]) == set(values)
    assert {arm["arm"] for arm in json.loads((out / "study.json").read_text())["arms"]} == {*values}


def test_values_keep_all_digits(tmp_path):
    values = {"reference": list(np.random.default_rng(0).lognormal(size=50)), "r1": [1e-300, 0.1]}
    frame = plain(values)
    got = read(taken(tmp_path, frame)).set_index(["arm", "seed"])["value"].sort_index()
    expected = frame.set_index(["arm", "seed"])["value"].sort_index()
    np.testing.assert_array_equal(got, expected)


def test_values_that_are_not_finite_are_failures_and_told(tmp_path, capsys):
    text = "arm,seed,metric,value\n" + "".join(
        f"{arm},{seed},fid,{value}\n"
        for arm, row in {"reference": [20, 21, 22], "r1": ["nan", "inf", ""]}.items()
        for seed, value in enumerate(row)
    )
    (tmp_path / "theirs.csv").write_text(text)
    assert main(["import", str(tmp_path / "theirs.csv"), "-o", str(tmp_path / "out")]) == 0
    assert "3 values of trials that are `done` are missing or not" in capsys.readouterr().out
    table = gather([tmp_path / "out"]).table.set_index("arm")
    assert table["failed"].to_dict() == {"reference": 0, "r1": 3}


def test_a_status_of_a_failed_trial_needs_no_value(tmp_path):
    frame = plain()
    lost = frame["value"].isna()
    frame["status"] = np.where(lost, "diverged", "done")
    frame["wall_seconds"] = 20.0
    frame.loc[lost, "metric"] = None
    found = gather([taken(tmp_path, frame)])
    assert found.failed["status"].tolist() == ["diverged"] * 2
    for seconds in ("wall_seconds", "device_seconds"):
        assert found.table[seconds].tolist() == [20.0] * 3


def test_a_metric_of_ones_own_is_declared_with_the_table(tmp_path):
    own = {"metric": "sharpness", "scale": "difference", "higher_is_better": "true"}
    known = plain(metric="fid")
    frame = pd.concat([plain(), plain(**own)])
    found = gather([taken(tmp_path, frame)], "sharpness")
    assert found.metric.higher_is_better and not found.metric.is_ratio
    table = pd.read_csv(
        report([tmp_path / "results/theirs"], tmp_path / "out", "fid") / "table.csv"
    )
    secondary = table[table["role"] == "secondary"]
    assert set(secondary["metric"]) == {"sharpness"} and set(secondary["higher_is_better"]) == {1}
    values = {"metric": "sharpness", "scale": "ratio", "higher_is_better": "false"}
    single = gather(
        [taken(tmp_path, known.drop(columns="metric"), "single", Reading(values=values))]
    )
    assert single.metric.name == "sharpness" and single.metric.is_ratio


def test_curves_come_in_a_second_file(own, tmp_path):
    frame = read(own)
    arms = frame.drop_duplicates("trial")[["trial", "arm", "seed"]]
    expected = read_curves(own)
    theirs = expected.merge(arms, on="trial").drop(columns="trial").rename(columns={"arm": "set"})
    curves = save(tmp_path, theirs, "curves.csv")
    exported = save(tmp_path, frame.rename(columns={"arm": "set"}))
    reading = Reading(columns={"arm": "set"})
    import_table(exported, tmp_path / "back", reading, curves=curves)
    pd.testing.assert_frame_equal(read_curves(tmp_path / "back"), expected)
    some = set(expected["trial"].unique()[:2])
    assert set(read_curves(tmp_path / "back", trials=some)["trial"]) == some
    save(tmp_path, theirs.assign(set="nobody"), "curves.csv")
    with pytest.raises(UserError, match=r"curves\.csv.*of no trial.*arm 'nobody'"):
        import_table(exported, tmp_path / "c", reading, curves=curves)
    assert not (tmp_path / "c").exists()


def test_a_whole_report_of_a_bare_table(tmp_path):
    out = report([taken(tmp_path, plain())], tmp_path / "report")
    text = (out / "report.md").read_text()
    assert "- Budget: not told." in text and "imported_from theirs.csv, sha256" in text
    assert "unknown time" in text and "it is not told what else those of one seed share" in text
    assert text.startswith("# Which arms have a better fid than `reference`?")


def test_curious_files_are_read(tmp_path):
    text = plain().to_csv(index=False, sep=";").replace("arm;seed", "\N{BOM}Arm ;SEED")
    (tmp_path / "theirs.csv").write_text(text, encoding="utf-8")
    import_table(tmp_path / "theirs.csv", tmp_path / "out")
    plain().to_csv(tmp_path / "theirs.csv.gz", index=False)
    import_table(tmp_path / "theirs.csv.gz", tmp_path / "zipped")
    assert without_study(read(tmp_path / "out"))["value"].equals(read(tmp_path / "zipped")["value"])


DOUBTS = [
    (plain().drop(columns="seed"), [], "no column 'seed'; type --column seed=COLUMN"),
    (plain().rename(columns={"seed": "run"}), [], "seed=COLUMN (there are run)"),
    (plain().drop(columns="arm"), [], "no column 'arm' and no column of 0 and 1"),
    (plain().drop(columns="metric"), [], "no column 'metric'"),
    (
        plain(walls_seconds=1),
        [],
        "Column 'walls_seconds' may be 'wall_seconds'; type --column",
    ),
    (plain(), ["--column", "arm=method"], "the file has no column 'method'"),
    (plain(), ["--column", "amr=arm"], "has no column 'amr'; did you mean 'arm'"),
    (plain(), ["--value", "protocols=x"], "has no column 'protocols'; did you mean 'protocol'"),
    (plain(), ["--value", "protocol"], "--value protocol cannot be read; type --value metric=fid"),
    (plain(), ["--reference", "R 1"], "There is no arm 'R 1'; did you mean 'r1'"),
    (plain({"a": [1.0], "b": [2.0]}), [], "type --reference ARM with one of a, b"),
    (pd.concat([plain(), plain()]), [], "15 rows repeat another one's arm, seed, metric and"),
    (plain(seed="one"), [], "seed in row 1, 'one' (and 14 more), is no number"),
    (plain(seed=0.5), [], "seed in row 1, '0.5' (and 14 more), is no whole number"),
    (plain().replace({"seed": {3: None}}), [], "seed in row 4, nothing (and 2 more), is no whole"),
    (plain().astype({"value": "str"}).replace("20.0", "twenty"), [], "value in row 1, 'twenty'"),
    (plain(status="ended"), [], "status 'ended' (15 rows) is none"),
    (plain(status="Dune"), [], "did you mean 'done'"),
    (plain(generator="avg"), [], "generator 'avg' is none; type raw, or ema"),
    (plain(metric=["fid"] * 14 + [None]), [], "Row 15 has a value and no metric"),
    (plain(arm=["a"] * 14 + [None]), [], "arm in row 15 is empty"),
    (plain(protocol=["a"] * 14 + ["b"]), [], "fid was measured under 2 protocols ('a', 'b')"),
    (plain(metric="fdi"), [], "Metric 'fdi' is not known"),
    (plain(metric="mine", scale="log", higher_is_better=0), [], "scale 'log' of mine is none"),
    (plain(higher_is_better=1), [], "fid is compared by ratios and lower is better"),
    (plain(conditions="{}"), [], "conditions '{}' are no JSON of data, model"),
    (plain(seed=2.0**60), [], "is no whole number"),
    (plain(imported=lambda f: (f["arm"] == "r1").astype(int)), [], "may not be called 'imported'"),
    (plain().iloc[:0], [], "has no rows"),
    (plain(), ["--curves", "nowhere.csv"], "There is no file nowhere.csv"),
    (plain(), ["--like", "nowhere"], "There is no folder nowhere"),
]


@pytest.mark.parametrize(("frame", "words", "sentence"), DOUBTS, ids=[d[2] for d in DOUBTS])
def test_a_doubt_is_one_sentence_and_nothing_is_written(place, frame, words, sentence):
    save(place.path, frame)
    assert place.type("import", "theirs.csv", *words, small=()) == 2
    assert sentence in place.err
    assert len(place.err.splitlines()) == 1
    assert not (place.path / "results").exists()


def test_rows_of_one_trial_that_disagree_are_told(tmp_path):
    frame = pd.concat([plain(status="done"), plain(metric="kid", status="done")])
    frame["wall_seconds"] = np.arange(len(frame))
    with pytest.raises(UserError, match=r"wall_seconds differs between rows of .*14 more"):
        taken(tmp_path, frame)


def test_all_doubts_are_told_at_once(place):
    frame = plain(walls_seconds=1, seed="one").drop(columns="metric")
    frame["value"] = "much"
    save(place.path, frame.rename(columns={"value": "score"}))
    assert place.type("import", "theirs.csv", small=()) == 2
    for word in ("cannot be imported yet", "'walls_seconds'", "'metric'", "'value'"):
        assert word in place.err
    save(place.path, plain(status="ended", seed="one", generator="avg"))
    assert place.type("import", "theirs.csv", small=()) == 2
    for word in ("'ended'", "'one'", "'avg'"):
        assert word in place.err


def test_a_file_that_is_no_table_is_told(place):
    (place.path / "theirs.csv").write_bytes(b"arm,seed\n\xff\xfe,1\n")
    assert place.type("import", "theirs.csv", small=()) == 2
    assert "no column 'metric' and no column 'value'" in place.err
    (place.path / "theirs.csv").write_text("arm,seed\n1,2,3\n")
    assert place.type("import", "theirs.csv", small=()) == 2
    (place.path / "theirs.parquet").write_bytes(b"PAR1")
    assert place.type("import", "theirs.parquet", small=()) == 2
    assert "cannot be read as Parquet" in place.err
    (place.path / "theirs.csv").write_text("arm,arm\n1,2\n")
    assert place.type("import", "theirs.csv", small=()) == 2
    assert "has the column 'arm' twice" in place.err
    assert place.type("import", "theirs.xlsx", small=()) == 2
    assert len(place.err.splitlines()) == 1


def test_nothing_that_is_there_is_replaced(tmp_path):
    out = taken(tmp_path, plain())
    before = sorted(path.read_bytes() for path in out.iterdir())
    with pytest.raises(UserError, match="is there already; type another -o"):
        taken(tmp_path, plain())
    assert sorted(path.read_bytes() for path in out.iterdir()) == before


@pytest.mark.parametrize("failing_call", range(7))
def test_a_full_disk_leaves_nothing(tmp_path, monkeypatch, failing_call):
    calls = iter(range(100))
    real = os.fsync

    def fsync(descriptor):
        if next(calls) == failing_call:
            raise OSError(errno.ENOSPC, "full")
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    if failing_call < 6:
        with pytest.raises(UserError, match="the disk is full"):
            taken(tmp_path, plain())
        assert list((tmp_path / "results").iterdir()) == []
    else:  # the rename is done; only its way to the disk is not certain
        with pytest.raises(UserError, match="the disk is full"):
            taken(tmp_path, plain())
        assert len(read(tmp_path / "results/theirs")) == 15


def test_a_torn_or_newer_import_is_refused(tmp_path):
    out = taken(tmp_path, plain())
    whole = (out / "metrics.parquet").read_bytes()
    (out / "metrics.parquet").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(UserError, match=r"metrics\.parquet cannot be read.*import the table again"):
        read(out)
    study = unsealed((out / "study.json").read_bytes())
    (out / "study.json").write_bytes(sealed(study | {"schema": 2}))
    with pytest.raises(UserError, match=r"newer ablate \(results schema 2"):
        read(out)
    (out / "study.json").unlink()
    with pytest.raises(UserError, match=r"study\.json cannot be read"):
        read(out)


def test_a_trial_in_two_imports_counts_once_and_two_answers_are_refused(tmp_path):
    one, other = taken(tmp_path, plain(), "one"), taken(tmp_path, plain(), "other")
    assert len(read(one, other)) == 15
    assert set(read(one, other)["study"]) == {"one"}
    changed = plain().replace({"value": {20.0: 20.5}})
    third = taken(tmp_path, changed, "third")
    assert len(read(one, third)["trial"].unique()) == 17


def test_settings_of_an_imported_arm_are_not_known_so_it_stays_its_own(own, tmp_path):
    frame = plain({"reference": VALUES["reference"], "r1": VALUES["r1"]}, metric="fd_classifier")
    frame["protocol"] = metrics(1.0)["protocol"].iloc[0]
    out = taken(tmp_path, frame, like=own)
    found = gather([own, out])
    arms = set(found.table["arm"])
    assert found.reference == "reference" and found.table["trials"].sum() == 30
    assert {"r1 (r1.strength=1.0)", "r1 (imported.arm=r1, imported.from=theirs)"} <= arms


def test_trial_ids_do_not_depend_on_the_other_trials(tmp_path):
    whole = read(taken(tmp_path, plain(), "whole"))
    part = read(taken(tmp_path, plain().query("arm != 'r1'"), "part"))
    assert set(part["trial"]) < set(whole["trial"])
    assert whole["trial"].str.fullmatch("[0-9a-f]{16}").all() and trial().id not in set(
        whole["trial"]
    )


def test_an_imported_table_joins_only_what_it_says_it_was_trained_like(own, tmp_path):
    frame = plain({"reference": [20.0]}, metric="fd_classifier", data="digits")
    out = taken(tmp_path, frame)
    with pytest.raises(UserError) as caught:
        gather([own, out])
    assert "train.batch_size is 64 in demo and not told in theirs" in str(caught.value)
    assert "data.name" not in str(caught.value)
    assert "choose one, as in --where budget.images=" in caught.value.typed
    assert "import the table again with --like DIR" in caught.value.typed
    with pytest.raises(UserError, match="data is 'cifar10' in the table and 'digits' in its cond"):
        taken(tmp_path, frame.assign(data="cifar10"), "other", like=own)
    assert not (tmp_path / "results/other").exists()


def test_a_renamed_folder_is_called_as_it_is(tmp_path):
    out = taken(tmp_path, plain()).rename(tmp_path / "results/renamed")
    assert set(read(out)["study"]) == {"renamed"}


def test_two_arms_of_one_name_come_back_as_two(tmp_path):
    one = write_study(tmp_path / "one", {"reference": [20.0, 22.0], "r1": [16.0, 18.0]})
    frame = read(one)
    text = frame["tricks"].str.replace("1.0", "9.0")
    other = frame.assign(tricks=text, trial=frame["trial"].str[::-1]).query("arm == 'r1'")
    exported = pd.concat([frame, other])
    back = read(taken(tmp_path, exported, "back"))
    assert back["trial"].nunique() == 6 and back["tricks"].nunique() == 3


def test_an_earlier_value_does_not_stand_in_for_a_last_one_that_is_lost(tmp_path):
    early = plain({"reference": [20.0, 21.0], "r1": [10.0, 11.0]}, images=1000)
    late = plain({"reference": [19.0, 20.0], "r1": [9.0, None]}, images=2000)
    out = taken(tmp_path, pd.concat([early, late]).assign(images_shown=2500))
    found = gather([out])
    assert found.failed[["arm", "seed"]].to_numpy().tolist() == [["r1", 1]]
    assert set(found.final["images_shown"]) == {2500}


def test_cells_may_have_blanks_around_them(tmp_path):
    (tmp_path / "theirs.csv").write_text(
        "arm,seed,metric,value\nreference, 0,fid,20.5 \nreference,1,fid, N/A\nr1,0 ,fid,1e1\n"
    )
    import_table(tmp_path / "theirs.csv", tmp_path / "out")
    frame = read(tmp_path / "out").set_index(["arm", "seed"])["value"].sort_index()
    np.testing.assert_array_equal(frame, [10.0, 20.5, np.nan])


def test_curves_that_may_be_of_two_trials_are_refused_and_none_is_read_twice(own, tmp_path):
    both = pd.concat([plain(data="digits"), plain(data="mnist")])
    curves = plain(images=10, signal="loss_d")[["arm", "seed", "images", "signal", "value"]]
    with pytest.raises(UserError, match="15 rows are of no trial, or of several"):
        taken(tmp_path, both, curves=save(tmp_path, curves, "curves.csv"))
    arms = read(own).drop_duplicates("trial")[["trial", "arm", "seed"]]
    theirs = save(tmp_path, read_curves(own).merge(arms, on="trial"), "curves.csv")
    back = taken(tmp_path, read(own), "back", curves=theirs)
    pd.testing.assert_frame_equal(read_curves(own, back), read_curves(back))


def test_what_appears_while_a_table_is_read_is_not_replaced(tmp_path):
    out = taken(tmp_path, plain())
    with pytest.raises(UserError, match="is there already"):
        write_imported(out, {}, {})
