"""The budget that a page tells is what was shown."""

import pandas as pd

from ablate.cli.main import main
from ablate.report.folder import report
from ablate.report.study import gather
from ablate.report.summary import summarize
from tests.importer.test_table import plain, taken

VALUES = {"reference": [20.0, 22.0, 19.0], "sn": [16.0, 18.0, 14.0]}


def test_arms_of_unequal_length_are_told_with_their_range(tmp_path, capsys):
    both = [plain(VALUES, images=1000), plain({"reference": [9.0, 9.5, 8.0]}, images=3000)]
    both.append(plain({"sn": [12.0, 13.0, 11.0]}, images=2500))
    folder = taken(tmp_path, pd.concat(both))
    out = report([folder], tmp_path / "report")
    told = (out / "report.md").read_text()
    assert (
        "- Budget: 2500 to 3000 real images shown to D as trials differ. Compared at 1000" in told
    )
    assert "the last of each are reference at 3000 and sn at 2500" in told
    assert "2,500 to 3,000 images a trial" in (out / "report.html").read_text()
    assert "fid at 1000 images" in (out / "report.html").read_text()
    assert "Compared at 1000 images" in (out / "table.tex").read_text()
    study = gather([folder])
    assert "2500 to 3000 real images shown to D;" in summarize(study)
    expected = pd.Series(VALUES["sn"]).pipe(lambda own: own.prod() ** (1 / 3))
    assert abs(study.table.set_index("arm").loc["sn", "mean"] - expected) < 1e-12
    assert main(["compare", str(folder)]) == 0
    assert "Compared at 1000 images" in capsys.readouterr().out


def test_arms_of_one_length_are_told_with_it(tmp_path):
    folder = taken(tmp_path, plain(VALUES, images=2000, budget_images=1990))
    out = report([folder], tmp_path / "report")
    told = (out / "report.md").read_text()
    assert "- Budget: 2000 real images shown to D in every trial that is done." in told
    assert "Compared at" not in told


def test_an_unpaired_report_says_so_wherever_it_would_speak_of_pairs(tmp_path):
    frame = plain(VALUES | {"gp": [18.0, None, 17.0]})
    frame["seed"] += 10 * (frame["arm"] == "sn")
    out = report([taken(tmp_path, frame)], tmp_path / "report", unpaired=True)
    told = (out / "report.md").read_text()
    assert "Unpaired: arms are compared by all their seeds (Welch's t)" in told
    latex = (out / "table.tex").read_text()
    assert "unpaired, with its own" in latex and "Welch" in latex
    assert "same seed" not in (out / "report.html").read_text()
    assert "Statistics: Welch's t, unpaired" in told and "paired with the reference" not in told
    assert not (out / "policies.csv").exists()
