"""The few lines for a pull request."""

import re

from ablate.report.folder import report
from ablate.report.study import gather
from ablate.report.summary import summarize
from tests.analysis.designs import study as design
from tests.report.designs import EFFECTS, write_design
from tests.store.synthetic import trial, write_study

VALUES = {"reference": [20.0, 22.0, 19.0], "r1": [16.0, 18.0, 14.0], "clip": [None, 19.0, 21.0]}


def test_the_summary_says_what_the_report_says(tmp_path):
    folder = write_study(tmp_path / "demo", VALUES)
    text = summarize(gather([folder]))
    page = (report([folder], tmp_path / "out") / "report.md").read_text().splitlines()
    lines = text.splitlines()
    assert lines[0] == f"##{page[0]}" and lines[2] == page[1]
    assert lines[4:9] == page[3:8]
    assert "9 trials, seeds 0, 1 and 2; 4000 real images" in lines[-1]


def test_a_factorial_is_summed_up_by_its_effects(tmp_path):
    factors = {name: ["off", "on"] for name in list(EFFECTS)[:3]}
    text = summarize(gather([write_design(tmp_path / "own", design(factors), 3)]))
    assert text.startswith("### Which tricks change") and "| **r1** |" in text


def test_what_is_not_whole_is_said_and_a_long_table_is_cut(tmp_path):
    arms = {f"arm{k:02d}": [20.0 + k, 21.0, 22.0] for k in range(40)}
    folder = write_study(tmp_path / "demo", {"reference": [20.0, 21.0, 22.0], **arms})
    planned = [trial(arm, seed) for arm in ("reference", *arms) for seed in range(4)]
    (folder / "plan.jsonl").write_text("".join(f"{one.to_json()}\n" for one in planned))
    (folder / "study.json").write_text('{"arms": []}')
    (folder / "trials" / trial("arm00", 0).id / "status.json").write_text("{")
    text = summarize(gather([folder]))
    assert (
        "11 more rows are in the report." in text and len(re.findall(r"^\| arm", text, re.M)) < 31
    )
    assert "A first look: 41 of 164 planned trials have not ended." in text
    assert "1 trials cannot be read and are left out" in text


def test_it_is_printed_alone_and_writes_nothing(place):
    write_study(place.path / "demo", VALUES)
    assert place.type("report", "demo", "--summary") == 0
    assert place.out.startswith("### Which arms") and "Report:" not in place.out
    assert [path.name for path in place.path.iterdir()] == ["demo"]
    assert place.type("report", "demo") == 2
    assert "required: -o/--out" in place.err
