import io
import json
from dataclasses import replace
from itertools import product

import numpy as np
import pandas as pd
import pytest

from ablate.cli.main import main
from ablate.errors import UserError
from ablate.report import words
from ablate.report.figures import style
from ablate.report.figures.forest import colour_of
from ablate.report.folder import all_tables, report
from ablate.report.printers.terminal import render_answer
from ablate.report.prose import page, sections
from ablate.report.study import gather
from ablate.report.tables import effects as effect_tables
from ablate.report.tables.arms import everything
from ablate.report.tables.effects import term
from ablate.report.words import MINUS, TIMES
from tests.analysis.designs import study
from tests.report.designs import EFFECTS, write_design

FOUR = {name: ["off", "on"] for name in EFFECTS}
THREE = {name: FOUR[name] for name in list(FOUR)[:3]}
RUNS = list(product(["off", "on"], repeat=4))
HALF = [run for run in RUNS if run.count("on") % 2 == 0]
PAIRS = [run for run in product(["off", "on"], repeat=3) if run.count("on") <= 2]
RUNGS = [tuple("on" if i < k else "off" for i in range(4)) for k in range(5)]
ALWAYS = {
    "report.md", "report.html", "table.csv", "table.parquet", "table.tex", "manifest.json",
    "arms.png",
}  # fmt: skip
PLANS = {
    "full": (study(THREE), 3, {"effects.csv", "effects.png"}),
    "half": (study(FOUR, HALF, "fractional_factorial"), 3, {"effects.csv", "effects.png"}),
    "once": (
        study(THREE), 1, {"effects.csv", "effects.png", "half_normal.csv", "half_normal.png"}
    ),
    "pairs": (study(THREE, PAIRS, "pairs"), 4, {"effects.csv", "effects.png"}),
    "shapley": (study(THREE, design="shapley"), 3, {"shares.csv", "shares.png"}),
    "ladder": (study(FOUR, RUNGS, "ladder"), 4, {"steps.csv", "steps.png"}),
}  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def _without_slow_figures():
    """Curves and samples do not depend on the design; `test_report` has them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("ablate.report.folder.curves_figure", lambda study: None)
        patch.setattr("ablate.report.folder.samples_figure", lambda study: None)
        yield


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """Return name -> (results folder, report folder)."""
    root, made = tmp_path_factory.mktemp("designs"), {}

    def build(name):
        if name not in made:
            plan, seeds, _ = PLANS[name]
            results = write_design(root / name, plan, seeds)
            made[name] = (results, report([results], root / f"{name}-report"))
        return made[name]

    return build


def text(folder):
    return (folder / "report.md").read_text()


def told(folder, **options):
    """Return the page alone, without its figures."""
    study = gather([folder], **options)
    return page(study, sections(study, []))


@pytest.mark.parametrize("name", PLANS)
def test_every_design_has_its_table_and_figure_and_the_same_bytes(built, tmp_path, name):
    results, out = built(name)
    again = report([results], tmp_path / "again")
    contents = [{p.name: p.read_bytes() for p in folder.iterdir()} for folder in (out, again)]
    assert contents[0] == contents[1]
    tex = {file.replace(".csv", ".tex") for file in PLANS[name][2] if not file.startswith("half")}
    assert set(contents[0]) == ALWAYS | PLANS[name][2] | {file for file in tex if "tex" in file}
    files = json.loads(contents[0]["manifest.json"])["files"]
    assert set(files) == set(contents[0]) - {"manifest.json"}
    for figure in PLANS[name][2]:
        assert figure.endswith(".csv") or f"]({figure})" in text(out)


def test_a_factorial_answers_with_effects_before_arms(built):
    lines = text(built("full")[1]).splitlines()
    assert lines[0] == "# Which tricks change fd_classifier on digits, and which only together?"
    assert lines[1].startswith(
        "**`r1` helps (with it 0.792 [0.770, 0.816]) and `ema_g` helps (with it 0.962 [0.935, "
        "0.991]); `batch_norm` hurts (with it 1.112 [1.061, 1.165]); worse together than each "
        f"alone promises: `ema_g {TIMES} r1` (1.138 [1.082, 1.197]); inconclusive"
    )
    head = "| effect | ratio [95 % CI] | p | p, own spread | by own spread | Holm p | varies"
    assert lines[3].startswith(head)
    assert lines[5].startswith("| **r1** | **0.79")
    assert lines.index("## Arms against the reference") > 12
    assert "no interaction, ratios multiply" in text(built("full")[1])


def test_a_fraction_names_groups_and_what_else_is_mixed_in(built):
    shown = text(built("half")[1])
    assert f"| batch_norm {TIMES} label_smooth = ema_g {TIMES} r1 |" in shown
    assert f"| ema_g {TIMES} r1 |" not in shown
    assert "Effects joined by = are one number" in shown
    assert "Interactions of three tricks and more are mixed into all of these" in shown


def test_one_seed_gets_a_half_normal_plot_and_no_verdict(built):
    shown = text(built("once")[1])
    assert "**Too few seeds for an answer:" in shown and "there is no test and no verdict" in shown
    assert "| effect | ratio [95 % CI] | verdict |" in shown
    table = pd.read_csv(built("once")[1] / "half_normal.csv")
    assert len(table) == 7 and table["term"].iloc[-1] == "r1"


def test_shares_add_up_in_the_table(built):
    shown = text(built("shapley")[1])
    table = pd.read_csv(built("shapley")[1] / "shares.csv")
    assert f"| all together | {table['effect'].prod():.4f} |" in shown
    assert "From all subsets; Student's t over 3 seeds" in shown


def test_a_ladder_shows_its_steps_in_order(built):
    lines = [x for x in text(built("ladder")[1]).splitlines() if x.startswith("|")]
    rungs = [line.strip("| ").split(" |")[0].strip("*") for line in lines[2:7]]
    assert rungs == [
        "reference",
        "r1",
        "r1+ema_g",
        "r1+ema_g+batch_norm",
        "r1+ema_g+batch_norm+label_smooth",
    ]
    assert "first rung" in lines[2] and "step, a ratio [95 % CI]" in lines[0]


def test_pairs_show_interactions_alone(built):
    table = pd.read_csv(built("pairs")[1] / "effects.csv")
    assert set(table["order"]) == {2} and len(table) == 3 and set(table["variance"]) == {"own"}
    assert "A main effect is" not in text(built("pairs")[1])


@pytest.mark.parametrize("name", PLANS)
@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
def test_the_terminal_table_fits(built, name, encoding):
    found = gather([built(name)[0]])
    sink = io.BytesIO()
    stream = io.TextIOWrapper(sink, encoding=encoding)
    render_answer(found.answer, found.metric, stream)
    stream.flush()
    shown = sink.getvalue().decode(encoding)
    rows = [line for line in shown.splitlines() if not line.endswith(".")]  # sentences stay whole
    assert len(rows) > 2 and max(map(len, rows)) <= 120 and "\x1b" not in shown
    for word in found.answer.names:
        assert word.split(" = ")[0].split(":")[0].split("+")[-1] in shown


def test_a_failure_is_told_beside_the_effects(tmp_path):
    folder = write_design(tmp_path / "r", study(FOUR), 3, failing=[("r1", 1)])
    shown = told(folder)
    assert "Trials that are missing: 1." in shown and "p, own spread |" in shown
    assert "failed with, without" in shown and "| better | 1, 0 |" in shown
    assert "| r1 | left out (decides) | 2 |" in shown
    assert "| r1 | worse than every value, by ranks | 3 | better in 2 of 3 | 1.00 |" in shown
    assert set(all_tables(gather([folder]))["policies.csv"]["arm"]) == {"r1"}


def test_an_effect_that_may_vary_has_its_own_interval_beside_it(tmp_path):
    found = gather([write_design(tmp_path / "r", study(FOUR), 3)])
    rows = found.answer.table.to_dict("records")
    rows[0] |= {"varies": 0, "may_vary": 1, "own_low": 0.5, "own_high": 1.5, "effect": 0.9}
    rows[1] |= {"varies": 0, "may_vary": 0}
    answer = replace(found.answer, table=pd.DataFrame(rows))
    heading, first, second, *_ = effect_tables.lines(answer, found.metric)
    place = heading.index("by own spread")
    assert first[place] == "0.90 [0.50, 1.50]" and second[place] == words.NONE
    told = [one[heading.index("varies by seed")] for one in (first, second)]
    assert told == ["maybe", "no"]
    assert "covers about 86 % at 3 seeds" in effect_tables.headline(answer, found.metric)
    assert "by own spread" not in effect_tables.short([heading, first])[0]


def test_what_absent_arms_took_is_told_and_stands_in_the_rows(tmp_path):
    plan = study(FOUR)
    plan["arms"] = [a for a in plan["arms"] if list(a["levels"].values())[:2] != ["on", "on"]]
    shown = told(write_design(tmp_path / "r", plan, 3))
    one, other = sorted(list(FOUR)[:2])
    assert "12 of the 16 arms of this design have results." in shown
    lost = f"{one} {TIMES} {other} cannot be told (no arm has both); {one} is the effect with"
    assert f"{lost} {other} off" in shown and f"{one} (with {other} off)" in shown
    plan["arms"] = [a for a in plan["arms"] if a["levels"][one] == "off"]
    shown = told(write_design(tmp_path / "s", plan, 3))
    assert f"All arms with results have {one} off: it has no effect here." in shown


def test_a_trick_that_always_fails_is_told_first(tmp_path):
    plan = study(FOUR)
    dead = [arm["arm"] for arm in plan["arms"] if arm["levels"]["r1"] == "on"]
    folder = write_design(tmp_path / "r", plan, 3, failing=product(dead, range(3)))
    shown = told(folder)
    counts = "24 of 24 trials with it failed and 0 of 24 without; always fails"
    assert f"fails more often: `r1` ({counts})" in shown.splitlines()[1]
    row = next(line for line in shown.splitlines() if line.startswith("| r1 |"))
    assert row.endswith("| fails more | 24, 0 |") and "nan" not in row
    assert "All arms with results have r1 off: it has no effect here." in shown


def test_main_effects_that_lost_an_arm_and_have_too_few_say_so(tmp_path):
    runs = [run for run in product(["off", "on"], repeat=4) if run.count("on") != 2]
    plan = study(FOUR, runs, "plackett_burman")
    gone = [plan["arms"][1]["arm"], plan["arms"][2]["arm"]]
    shown = told(write_design(tmp_path / "r", plan, 3, failing=product(gone, range(3))))
    assert "fewer than 5 beyond the effects are left" in shown and "| too few arms |" in shown


def test_parts_that_share_no_seed_are_reported(tmp_path):
    rows = [(a, b, s) for a in (0, 1) for b in (0, 1) for s in ((0, 1, 2) if a else (3, 4, 5))]
    frame = pd.DataFrame(rows, columns=["a", "b", "seed"]).assign(metric="fid")
    frame["value"] = 20.0 + np.random.default_rng(0).normal(size=len(frame))
    frame.to_csv(tmp_path / "t.csv", index=False)
    assert main(["import", str(tmp_path / "t.csv"), "-o", str(tmp_path / "r")]) == 0
    assert main(["report", str(tmp_path / "r"), "-o", str(tmp_path / "page")]) == 0


def test_a_fraction_without_its_reference_takes_the_arm_with_fewest_tricks(tmp_path):
    odd = [run for run in RUNS if run not in HALF]
    folder = write_design(tmp_path / "r", study(FOUR, odd, "fractional_factorial"), 3)
    shown = told(folder)
    assert "`label_smooth`, one with the fewest, stands in as the reference" in shown
    assert main(["report", str(folder), "-o", str(tmp_path / "again")]) == 0


def test_arms_that_cannot_answer_say_so(tmp_path):
    plan = study(FOUR)
    for arm in plan["arms"][1:-1]:
        arm["refused"] = ["They exclude each other."]
    shown = told(write_design(tmp_path / "r", plan, 3))
    assert shown.startswith("# Which arms have a better")
    assert "## No answer to what the design asks" in shown and "do not tell the effects of" in shown


def test_old_plans_are_reported_as_before(built, tmp_path):
    results, _ = built("full")
    plan = json.loads((results / "study.json").read_text())
    for key in ("factors", "aliases", "permutations", "analysis"):
        del plan[key]
    for arm in plan["arms"]:
        del arm["levels"], arm["seeds"]
    kept = (results / "study.json").read_text()
    try:
        (results / "study.json").write_text(json.dumps(plan))
        shown = told(results)
    finally:
        (results / "study.json").write_text(kept)
    assert shown.startswith("# Which arms have a better") and TIMES not in shown.split("\n")[1]


def planned(tmp_path, analysis, seeds=5):
    plan = study(FOUR, RUNGS, "leave_one_out", analysis=analysis)
    return write_design(tmp_path / "r", plan, seeds)


def test_what_the_plan_decided_is_done_and_told(tmp_path):
    decided = {"metric": "fd_classifier", "margin": 20, "looks": [4, 8], "variance": "guarded"}
    out = planned(tmp_path, decided, seeds=6)
    shown, table = told(out), everything(gather([out])).query("role == 'primary'")
    assert "Verdict at Holm p ≤ 0.025, 5 % over 2 planned looks (at 4 and 8 seeds)" in shown
    assert "Seeds: 0, 1, 2 and 3;" in shown  # the look that is reached
    assert "guarded, pooled over arms" in shown and "for 0 of 4 arms (it needs 4 arms of 5" in shown
    assert "`no difference beyond 20 %` where the 95 % interval lies within it" in shown
    assert set(table["pairs"]) == {0, 4}


def test_guarded_variance_is_used_from_five_seeds(tmp_path):
    shown = told(planned(tmp_path, {"variance": "guarded"}))
    assert "for 4 of 4 arms" in shown


def test_what_no_study_may_decide_is_refused(tmp_path):
    with pytest.raises(UserError, match="failures=mean is not done: filling"):
        report([planned(tmp_path, {"failures": "mean"})], tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_screen_says_that_it_is_one(tmp_path):
    shown = told(planned(tmp_path, {}), screen=True)
    assert "| BH p |" in shown and "a screen, not a verdict" in shown
    assert "Verdict at Benjamini-Hochberg p" in shown


def test_the_second_opinion_is_told(tmp_path):
    out = planned(tmp_path, {}, seeds=6)
    assert "Second opinion, exact sign flips of whole seeds for all arms (max-t):" in told(out)
    few = planned(tmp_path / "few", {}, seeds=5)
    assert "not computed under 6 seeds" in told(few)


def test_ranks_are_told_with_what_is_sure(tmp_path):
    out = planned(tmp_path, {})
    assert "| arm | rank by mean | surely (95 %, all at once) |" in told(out)
    primary = everything(gather([out])).query("role == 'primary'")
    assert (primary["rank_low"] <= primary["rank"]).all()
    assert (primary["rank"] <= primary["rank_high"]).all()


def test_a_damaged_study_says_what_to_do(built, tmp_path):
    (tmp_path / "r").mkdir()
    folder = write_design(tmp_path / "r", study(FOUR, RUNGS[:2]), 1)
    (folder / "study.json").write_text("{")
    with pytest.raises(UserError, match=r"study\.json cannot be read .*start the sweep again"):
        report([folder], tmp_path / "out")


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("a:b", f"a {TIMES} b"),
        ("a:b = -c:d", f"a {TIMES} b = {MINUS}c {TIMES} d"),
        ("loss=ns:r1", f"loss=ns {TIMES} r1"),
    ],
)
def test_terms_are_written_out(name, shown):
    assert term(name) == shown


def test_only_a_verdict_has_a_colour():
    assert colour_of("better") == colour_of("better together") == style.BLUE
    assert colour_of("worse") == colour_of("worse together") == style.RED
    others = ("inconclusive", "too few seeds", "suspect", "trade-off", "identical")
    assert {colour_of(verdict) for verdict in others} == {style.GREY}


def test_difference_metrics_are_told_as_differences(tmp_path):
    folder = write_design(tmp_path / "r", study(FOUR), 3)
    shown = told(folder, scale="difference")
    assert "| effect | difference [95 % CI] |" in shown and "differences add" in shown
