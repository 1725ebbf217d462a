"""Tables as other programs write them: statuses, arms, wide ones, values no scale can take."""

import json

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from ablate.errors import UserError
from ablate.importer.asked import Declared, Reading
from ablate.importer.statuses import read_statuses
from ablate.importer.table import import_table
from ablate.report.prose import sections
from ablate.report.study import gather
from ablate.store import read
from ablate.store.schema import STATUSES
from tests.importer.test_table import plain, save, taken

VALUES = {"reference": [20.0, 22.0, 19.0], "sn": [16.0, 18.0, 14.0], "gp": [18.0, 19.0, 17.5]}


def told(folder, frame, reading=None, analysis=None, **options):
    """Return the sentence that an import ends with; nothing may be written."""
    with pytest.raises(UserError) as caught:
        taken(folder, frame, reading=reading, analysis=analysis, **options)
    assert not (folder / "results").exists()
    return str(caught.value)


def statuses(*words, **typed):
    """Return each word as it is read, and what was told."""
    problems = []
    frame, _ = read_statuses(pd.DataFrame({"status": words}), typed, problems)
    return frame["status"].tolist(), problems


# What each program's own documentation says of its words.
PROGRAMS = {
    "wandb": "finished:done failed:crashed crashed:crashed killed:killed preempted:killed",
    "mlflow": "FINISHED:done FAILED:crashed KILLED:killed",
    "optuna": "COMPLETE:done FAIL:crashed PRUNED:pruned",
    "slurm": "COMPLETED:done FAILED:crashed TIMEOUT:killed OUT_OF_MEMORY:crashed CANCELLED:killed "
    "NODE_FAIL:killed PREEMPTED:killed BOOT_FAIL:killed DEADLINE:killed CANCELLED+:killed",
    "ray": "TERMINATED:done ERROR:crashed",
    "people": "Done:done OK:done diverged:diverged NaN:diverged OOM:crashed collapse:collapsed",
    "ours": " ".join(f"{word}:{word}" for word in STATUSES),
}


@pytest.mark.parametrize("words", PROGRAMS.values(), ids=PROGRAMS)
def test_words_of_other_programs(words):
    theirs, ours = zip(*(pair.split(":") for pair in words.split()), strict=True)
    found, problems = statuses(*theirs)
    assert found == list(ours) and not problems


def test_who_cancelled_a_job_is_no_other_status():
    assert statuses("CANCELLED by 1001") == (["killed"], [])


@pytest.mark.parametrize(
    "word", ["running", "RUNNING", "WAITING", "pending", "SCHEDULED", "queued"]
)
def test_what_has_not_ended_is_never_done(word):
    found, problems = statuses("finished", word)
    assert found[1] != "done" and f"--status {word}=killed" in problems[0]
    found, problems = statuses("finished", word, **{word: "killed"})
    assert found == ["done", "killed"] and not problems


def test_a_word_may_be_mapped_and_only_to_ours():
    assert statuses("ended", ended="done") == (["done"], [])
    assert "'good' is none" in statuses("ended", ended="good")[1][0]
    assert "no row has the status 'emded'; did you mean 'ended'" in "".join(
        statuses("ended", emded="done")[1]
    )


def test_states_of_wandb(tmp_path):
    frame = pd.DataFrame(
        {
            "Name": [f"run-{n}" for n in range(9)],
            "State": ["finished"] * 5 + ["failed", "crashed", "running", "finished"],
            "sn": ["false", "true", "false"] * 3,
            "gp": ["false", "false", "true"] * 3,
            "seed": np.repeat([0, 1, 2], 3),
            "fid": [*map(str, range(20, 28)), "NaN"],
        }
    )
    reading = Reading(columns={"value": "fid"}, values={"metric": "fid"})
    assert "status 'running' (1 row) has not ended" in told(tmp_path, frame, reading)
    reading = Reading(
        columns={"value": "fid"}, values={"metric": "fid"}, statuses={"running": "killed"}
    )
    got = import_table(save(tmp_path, frame), tmp_path / "killed", reading)
    told_so = "failed is crashed (1), finished is done (6), running is killed (1)"
    assert got.notes[0] == f"Status: {told_so}."
    wide = Reading(metrics={"fid": "fid", "kid": "kid"}, statuses={"running": "killed"})
    both = import_table(save(tmp_path, frame.assign(kid=1.0)), tmp_path / "both", wide)
    assert both.notes == got.notes and both.rows == 18  # counts are of trials
    final = gather([tmp_path / "killed"]).final
    failed = final[final["failed"]][["arm", "seed"]].to_numpy().tolist()
    assert sorted(failed) == [["gp", 1], ["gp", 2], ["reference", 2], ["sn", 2]]
    pending = Reading(
        columns={"value": "fid"}, values={"metric": "fid"}, statuses={"running": "pending"}
    )
    left = import_table(save(tmp_path, frame), tmp_path / "pending", pending)
    assert left.trials == 8 and read(tmp_path / "pending")["trial"].nunique() == 8


def test_blanks_around_an_arm_are_no_name(tmp_path):
    odd = ["{}", " {}", "{} ", "\N{BOM}{}", "{}\N{NO-BREAK SPACE}", "\u200b {}\t"]
    frame = plain({"reference": [20.0] * 6, "sn": [16.0] * 6})
    frame["arm"] = [
        odd[seed].format(arm) for arm, seed in zip(frame["arm"], frame["seed"], strict=True)
    ]
    assert set(read(taken(tmp_path, frame))["arm"]) == {"reference", "sn"}


@pytest.mark.parametrize(
    ("one", "other"), [("SN", "sn"), ("sn gp", "sn_gp"), ("sn-gp", "sngp"), ("s n", "sn")]
)
def test_arms_that_nearly_have_one_name_are_doubted(tmp_path, one, other):
    frame = plain({"reference": [20.0, 21.0], one: [16.0], other: [17.0, 18.0]})
    sentence = told(tmp_path, frame)
    assert f"--arm '{one}={other}' if they are one, or --arm '{one}={one}'" in sentence
    two = taken(tmp_path, frame, "two", Reading(arms={one: one}))
    assert set(read(two)["arm"]) == {"reference", one, other}
    joined = frame[(frame["arm"] != other) | (frame["seed"] > 0)]
    both = taken(tmp_path, joined, "one", Reading(arms={one: other}))
    assert read(both).groupby("arm")["seed"].apply(sorted).to_dict() == {
        "reference": [0, 1], other: [0, 1]
    }  # fmt: skip


def test_a_sign_tells_arms_apart(tmp_path):
    out = taken(tmp_path, plain({"reference": [1.0], "lr=1e-3": [1.0], "lr=1e3": [2.0]}))
    assert read(out)["arm"].nunique() == 3


SWITCHES = {
    "yes": ("yes", "no"), "Yes": ("Yes", "No"), "on": ("on", "off"), "true": ("true", "false"),
    "TRUE": ("TRUE", "FALSE"), "x": ("x", ""), "X": ("X", "-"), "1": ("1", "0"),
    "enabled": ("enabled", "disabled"), "check": ("✓", "✗"), "check or dash": ("✓", "-"),
    "check or x": ("✓", "x"), "check or nothing": ("✔", ""), "y": ("Y", "n"), "+": ("+", "-"),
}  # fmt: skip


def factorial(on="1", off="0"):
    rows = [
        {"sn": on if k & 1 else off, "gp": on if k & 2 else off, "seed": s, "metric": "fid",
         "value": 20.0 - k + 0.1 * s * (k + 1)}
        for k in range(4) for s in range(3)
    ]  # fmt: skip
    return pd.DataFrame(rows)


@pytest.mark.parametrize(("on", "off"), SWITCHES.values(), ids=SWITCHES)
def test_on_and_off_as_people_write_them(tmp_path, on, off):
    found = gather([taken(tmp_path, factorial(on, off), "theirs")]).answer
    expected = gather([taken(tmp_path, factorial(), "expected")]).answer
    pd.testing.assert_frame_equal(found.table, expected.table)


def test_a_trick_that_is_empty_in_some_rows_is_not_left_out_in_silence(tmp_path):
    frame = factorial("1", None)
    assert "Column 'sn' is on or off in some rows and empty in others" in told(tmp_path, frame)
    reading = Reading(ignore=["sn", "gp"])
    assert "no column 'arm' and no column of 0 and 1" in told(tmp_path, frame, reading)


def test_a_column_that_is_no_trick_can_be_left_out(tmp_path):
    frame = factorial().assign(amp=[0, 1, 0] * 4)
    assert read(taken(tmp_path, frame, "all"))["arm"].nunique() == 8
    got = import_table(save(tmp_path, frame), tmp_path / "out", Reading(ignore=["amp"]))
    assert got.tricks == ["sn", "gp"] and got.left_out == [] and len(got.arms) == 4
    with pytest.raises(UserError, match="--ignore anp: the file has no column 'anp'; did you mean"):
        import_table(save(tmp_path, frame), tmp_path / "other", Reading(ignore=["anp"]))


def test_several_metrics_of_a_wide_table(tmp_path):
    long = pd.concat(
        plain({arm: [v * factor for v in row] for arm, row in VALUES.items()}, metric=name)
        for name, factor in {"fid": 1.0, "kid": 1e-3, "recall": 1e-2}.items()
    )
    wide = long.pivot(index=["arm", "seed"], columns="metric", values="value").reset_index()
    wide = wide.rename(columns={"fid": "val/FID"})
    sentence = told(tmp_path, wide)
    assert (
        "no column 'metric' and no column 'value'; type --metric val/FID --metric kid" in sentence
    )
    reading = Reading(metrics={"fid": "val/FID", "kid": "kid", "recall": "recall"})
    one, other = taken(tmp_path, wide, "a", reading), taken(tmp_path, long, "b")
    keys = ["arm", "seed", "metric", "value", "trial"]
    # ids hash the rows of a trial in any order, and the arms' identities name their folders
    found, expected = (
        read(folder).sort_values(keys[:3], ignore_index=True)[keys] for folder in (one, other)
    )
    pd.testing.assert_frame_equal(found, expected)
    wrong = Reading(metrics={"fid": "val/FD"})
    with pytest.raises(UserError, match="no column 'val/FD'; did you mean 'val/FID'"):
        taken(tmp_path, wide, "c", wrong)
    with pytest.raises(UserError, match="there is a column 'metric' as well"):
        taken(tmp_path, long, "d", Reading(metrics={"fid": "value"}))
    marked = wide.assign(kid=["much", *wide["kid"].astype(str)[1:]])
    with pytest.raises(UserError, match="kid in row 1, 'much'"):
        taken(tmp_path, marked, "e", reading)


def test_a_metric_of_the_field_needs_no_word(tmp_path):
    for name, better in {"fid_score": False, "fid50k_full": False, "is_mean": True}.items():
        found = gather([taken(tmp_path, plain(VALUES, metric=name), name)])
        assert found.metric.name == name and found.metric.higher_is_better is better
        assert dict(zip(found.table["arm"], found.table["verdict"], strict=True))["sn"] != "suspect"


def test_one_fid_decides_where_nobody_says_which(tmp_path):
    both = pd.concat([plain(VALUES, metric=name) for name in ("kid50k_full", "fid50k_full")])
    assert gather([taken(tmp_path, both, "one")]).metric.name == "fid50k_full"
    two = pd.concat([both, plain(VALUES, metric="fid10k")])
    with pytest.raises(UserError, match=r"give metric=, one of \['fid10k'") as caught:
        gather([taken(tmp_path, two, "two")])
    assert "type --metric with one of" in caught.value.typed


def test_a_metric_that_nobody_knows_says_what_to_type(tmp_path):
    sentence = told(tmp_path, plain(VALUES, metric="fid_scor"))
    assert "did you mean 'fid_score'" in sentence and "--better fid_scor=lower" in sentence
    assert "--scale fid_scor=ratio (only values > 0) or --scale fid_scor=differ" in sentence
    declared = Declared(scales={"mine": "difference"}, better={"mine": "higher"})
    found = gather([taken(tmp_path, plain(VALUES, metric="mine"), analysis=declared)])
    assert found.metric.higher_is_better and not found.metric.is_ratio


def test_what_goes_either_way_is_asked_for(tmp_path):
    frame = plain(VALUES, metric="lpips")
    sentence = told(tmp_path, frame)
    assert "better lower against a target and better higher among samples" in sentence
    found = gather([taken(tmp_path, frame, analysis=Declared(better={"lpips": "higher"}))])
    assert found.metric.higher_is_better and found.metric.is_ratio


@pytest.mark.parametrize("value", [-1.0, 0.0])
def test_a_value_that_a_ratio_cannot_take_is_told_at_import(tmp_path, value):
    frame = plain(VALUES | {"sn": [16.0, value, 14.0]})
    sentence = told(tmp_path, frame)
    assert f"fid is {value:g} (arm 'sn', seed 1) and a ratio needs values > 0" in sentence
    assert f"--scale fid=difference to compare differences, or --failed fid={value:g}" in sentence
    failed = gather([taken(tmp_path, frame, "failed", Reading(failed={"fid": f"{value:g}"}))])
    assert failed.failed[["arm", "seed"]].to_numpy().tolist() == [["sn", 1]]
    other = taken(tmp_path, frame, "other", analysis=Declared(scales={"fid": "difference"}))
    found = gather([other]).table.set_index("arm").loc["sn"]
    own = stats.ttest_rel([16.0, value, 14.0], VALUES["reference"])
    np.testing.assert_allclose([found["t"], found["p"]], [own.statistic, own.pvalue], rtol=1e-9)
    assert found["scale"] == "difference"


def test_a_turned_sign_needs_its_direction(tmp_path):
    frame = plain({arm: [-value for value in row] for arm, row in VALUES.items()})
    sentence = told(tmp_path, frame, analysis=Declared(scales={"fid": "difference"}))
    assert "below 0 in all 9 rows" in sentence and "--better fid=higher" in sentence
    turned = Declared(scales={"fid": "difference"}, better={"fid": "higher"})
    found = gather([taken(tmp_path, frame, analysis=turned)]).table.set_index("arm")
    assert found.loc["sn", "effect_mean"] > 0 and found.loc["sn", "verdict"] == "better"
    with pytest.raises(UserError, match="of fid lower values are better"):
        taken(tmp_path, plain(VALUES), "other", analysis=Declared(better={"fid": "higher"}))


def test_an_older_import_names_what_commands_take(tmp_path):
    frame = plain(VALUES | {"sn": [16.0, -1.0, 14.0]})
    out = taken(tmp_path, frame, analysis=Declared(scales={"fid": "difference"}))
    plan = json.loads((out / "study.json").read_text()) | {"metrics": {}}
    del plan["seal"], plan["files"]  # earlier ones have none
    (out / "study.json").write_text(json.dumps(plan))
    with pytest.raises(UserError, match="give scale='difference', or leave") as caught:
        gather([out])
    assert "`ablate mark FOLDER " in caught.value.typed and "--collapsed" in caught.value.typed
    assert caught.value.typed.endswith("import the table again with --scale fid=difference.")


def test_what_is_declared_holds_in_every_report(tmp_path):
    declared = Declared(margin=5.0, looks=(3, 5), variance="guarded")
    values = {
        name: list(np.random.default_rng(n).lognormal(3, 0.01, 5)) for n, name in enumerate("abcd")
    }
    found = gather([taken(tmp_path, plain(values), analysis=declared, reference="a")])
    assert (found.decisions.margin, found.decisions.looks) == (5.0, (3, 5))
    assert set(found.table["variance"][1:]) == {"guarded"}
    assert json.loads((tmp_path / "results/theirs/study.json").read_text())["analysis"] == {
        "margin": 5.0, "looks": [3, 5], "variance": "guarded"
    }  # fmt: skip
    with pytest.raises(UserError, match="is a percentage, and kid is compared by differences"):
        taken(tmp_path, plain(VALUES, metric="kid"), "kid", analysis=Declared(margin=5.0))


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ({"scales": {"fid": "log"}}, "--scale fid=log is none; choose one of ratio, difference"),
        ({"better": {"fid": "up"}}, "--better fid=up is none"),
        ({"margin": 500.0}, "must be a percentage above 0 and below 100"),
        ({"looks": (2,)}, "rising numbers of seeds of at least 3"),
        ({"variance": "pooled"}, "variance=pooled is not done"),
        ({"unpaired": True, "looks": (3, 5)}, "leave one of the two out"),
        ({"unpaired": True, "variance": "guarded"}, "leave one of the two out"),
    ],
)
def test_what_cannot_be_declared_is_told(asked, sentence):
    with pytest.raises(UserError, match=sentence):
        Declared(**asked)


def test_seeds_that_no_arms_share_are_told_and_never_compared_in_silence(tmp_path):
    frame = plain(VALUES)
    frame["seed"] += frame["arm"].map({"reference": 0, "sn": 10, "gp": 20})
    got = import_table(save(tmp_path, frame), tmp_path / "out")
    assert "No seed is shared: gp has 20-22, reference has 0-2 (and 1 more arm)." in got.notes[0]
    table = gather([tmp_path / "out"]).table.set_index("arm")
    assert set(table["verdict"][1:]) == {"too few seeds"}
    assert table.loc["sn", "reason"] == "no seed is shared: sn has 10-12, reference has 0-2"
    asked = gather([tmp_path / "out"], unpaired=True).table
    out = tmp_path / "declared"
    import_table(save(tmp_path, frame), out, analysis=Declared(unpaired=True))
    declared = gather([out])
    pd.testing.assert_frame_equal(declared.table, asked)
    own = stats.ttest_ind(np.log(VALUES["sn"]), np.log(VALUES["reference"]), equal_var=False)
    found = asked.set_index("arm").loc["sn"]
    np.testing.assert_allclose([found["t"], found["p"]], [own.statistic, own.pvalue], rtol=1e-9)


def test_the_command_line_takes_each_option(place):
    frame = plain({"base": [20.0, 22.0, 19.0], "SN": [16.0, -1.0, 14.0], "sn": [1.0]})
    wide = frame.drop(columns="metric").rename(columns={"value": "val/fid"})
    wide = wide[(wide["arm"] != "sn")].assign(State="finished", amp=[0, 1] * 3)
    save(place.path, wide)
    words = [
        *(
            "--reference",
            "base",
            "--metric",
            "fid=val/fid",
            "--ignore",
            "amp",
            "--failed",
            "fid=-1",
        ),
        *("--scale", "fid=ratio", "--better", "fid=lower", "--margin", "5", "--variance", "own"),
        *("--status", "finished=done", "--arm", "SN=sn"),
    ]
    assert place.type("import", "theirs.csv", *words, small=()) == 0, place.err
    assert "2 arms" in place.out and "finished is done (6)" in place.out
    assert place.type("compare", "results/theirs", small=()) == 0
    assert place.type("compare", "results/theirs", "--unpaired", small=()) == 0
    assert "unpaired (Welch's t over all seeds)" in place.out
    assert place.type("import", "theirs.csv", "--scale", "fid", small=()) == 2
    assert "--scale fid cannot be read; type --scale fid=difference" in place.err
    twice = ["--scale", "fid=ratio", "--scale", "fid=difference"]
    assert place.type("import", "theirs.csv", *twice, small=()) == 2
    assert "--scale says two things of 'fid'" in place.err


def test_the_command_line_says_that_no_seed_is_shared(place):
    frame = plain(VALUES)
    frame["seed"] += (frame["arm"] == "sn") * 10
    save(place.path, frame)
    assert place.type("import", "theirs.csv", small=()) == 0
    assert "No seed is shared: sn has 10-12, reference has 0-2. Arms are compared" in place.out
    assert place.type("compare", "results/theirs", small=()) == 0
    assert "No seed is shared: sn has 10-12, reference has 0-2. Type --unpaired" in place.out


def test_a_status_that_only_some_trials_have_is_asked_for(tmp_path):
    frame = plain(VALUES, status=["finished"] * 7 + ["", None])
    sentence = told(tmp_path, frame)
    assert "status of 2 trials is empty and others have one" in sentence
    out = taken(tmp_path, frame, "crashed", Reading(statuses={"": "crashed"}))
    assert gather([out]).failed["status"].tolist() == ["crashed"] * 2
    assert gather([taken(tmp_path, plain(VALUES, status=""), "none")]).failed.empty
    one = pd.concat([plain(VALUES, status="done"), plain(VALUES, metric="kid", status="")])
    assert read(taken(tmp_path, one, "one"))["trial"].nunique() == 9  # said once a trial


def test_two_columns_that_tell_a_status_are_doubted(tmp_path):
    frame = plain(VALUES, status="finished", State="failed")
    assert "Columns 'status' and 'State' both tell a status" in told(tmp_path, frame)
    failed = gather([taken(tmp_path, frame, reading=Reading(ignore=["status"]))]).failed
    assert len(failed) == 9


def test_the_command_line_speaks_of_options_and_python_of_arguments(place):
    ends = {"reference": 2000, "sn": 3000, "gp": 3000}
    save(place.path, plain(VALUES, images=lambda own: own["arm"].map(ends)))
    assert place.type("import", "theirs.csv", small=()) == 0
    assert place.type("compare", "results/theirs", small=()) == 2
    assert "different images (gp 3000, reference 2000, sn 3000)" in place.err
    assert place.err.rstrip().endswith("or with --ignore images if all were trained alike.")
    with pytest.raises(UserError) as caught:
        gather([place.path / "results/theirs"])
    assert "--" not in str(caught.value)
    words = ("import", "theirs.csv", "--ignore", "images", "-o", "results/alike")
    assert place.type(*words, small=()) == 0
    assert place.type("compare", "results/alike", small=()) == 0


def test_a_log_leaves_empty_what_was_not_measured(tmp_path):
    """Rows of fid and of loss alternate, as loggers write; the last row is never one of fid."""
    rows = [
        {"arm": arm, "seed": seed, "images": images, "fid": value + 5000 / images, "loss": None}
        for arm, row in VALUES.items()
        for seed, value in enumerate(row)
        for images in (1000, 2000)
    ]
    log = pd.DataFrame(rows)
    losses = log.assign(images=log["images"] + 500, loss=1.0, fid=None)
    reading = Reading(metrics={"fid": "fid"}, ignore=["loss"])
    out = tmp_path / "out"
    got = import_table(save(tmp_path, pd.concat([log, losses])), out, reading)
    assert any(note.startswith("18 empty cells are taken for metrics") for note in got.notes)
    final = gather([out]).final
    assert not final["failed"].any() and set(final["compared_images"]) == {2000}
    expected = log[log["images"] == 2000].set_index(["arm", "seed"])["fid"].sort_index()
    np.testing.assert_allclose(final.set_index(["arm", "seed"])["value"].sort_index(), expected)
    lost = pd.concat([log.astype({"fid": "str"}), losses])
    lost.iloc[1, lost.columns.get_loc("fid")] = "nan"  # the reference's seed 0 at 2000
    failed = gather([taken(tmp_path, lost, "lost", reading)]).failed
    assert failed[["arm", "seed"]].to_numpy().tolist() == [["reference", 0]]
    nothing = log.assign(fid=log["fid"].mask(log["arm"] == "sn"))
    assert len(gather([taken(tmp_path, nothing, "nothing", reading)]).failed) == 3


def test_folders_that_compare_a_metric_on_two_scales_are_not_joined(tmp_path):
    one = taken(tmp_path, plain(VALUES), "one", analysis=Declared(scales={"fid": "difference"}))
    other = taken(tmp_path, plain({"r1": [15.0, 16.0, 17.0]}), "other", reference="r1")
    with pytest.raises(UserError, match=r"fid is compared by differences .* and by ratios .* in"):
        gather([one, other], reference="reference")


@pytest.mark.parametrize(("metric", "side"), [("inception_score", "below"), ("fid", "above")])
def test_what_is_suspect_lies_on_the_worse_side(tmp_path, metric, side):
    study = gather([taken(tmp_path, plain(VALUES, metric=metric), metric)])
    (method,) = [one.lines for one in sections(study, []) if one.key == "method"]
    assert f"A value {side} its arm's median by a factor of 2.5" in " ".join(method)
