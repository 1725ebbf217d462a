"""A metric that was chosen after looking has numbers and no tests."""

import json

import numpy as np
import pytest

from ablate.report.headline import answer
from ablate.report.printers.latex import arms_latex
from ablate.report.prose import sections
from ablate.report.study import gather
from ablate.report.tables.arms import everything
from tests.store.synthetic import write_study

VALUES = {"reference": [20.0, 22.0, 19.0, 21.0], "r1": [10.0, 11.1, 9.4, 10.3]}
USUAL = {"metric": None, "margin": 5, "looks": [], "variance": "own"}


def declared(folder, **analysis):
    """Write a study of fd_classifier that declares its analysis."""
    write_study(folder, VALUES)
    arms = [{"arm": arm, "refused": [], "doubts": []} for arm in VALUES]
    told = {"arms": arms, "reference": "reference", "design": "presets"}
    told["analysis"] = USUAL | analysis
    (folder / "study.json").write_text(json.dumps(told))
    return folder


@pytest.mark.parametrize("metric", [None, "fd_classifier"])
def test_the_declared_metric_is_tested(tmp_path, metric):
    found = gather([declared(tmp_path / "r", metric=metric)], "fd_classifier")
    assert found.declared == "" and list(found.table["verdict"]) == ["reference", "better"]
    assert found.decisions.margin == 5


def test_another_one_is_described(tmp_path):
    folder = declared(tmp_path / "r", metric="recall")
    found, tested = gather([folder], "fd_classifier"), gather([write_study(tmp_path / "x", VALUES)])
    assert found.declared == "recall" and found.decisions.margin is None
    assert list(found.table["verdict"]) == ["reference", "described"]
    assert (
        found.table[["t", "p", "p_holm", "p_bh", "p_flip", "p_equivalence"]].isna().all(axis=None)
    )
    for name in ("effect", "low", "high", "mean", "seed_sd"):
        np.testing.assert_array_equal(found.table[name], tested.table[name])
    told = answer(found)
    assert told.startswith("**Described, not tested: `r1`") and "helps" not in told
    assert "`recall` was to decide before training, `fd_classifier` was chosen after it" in told
    assert "superscript{*}" not in "".join(
        line for line in arms_latex(found).splitlines() if line.startswith("r1")
    )
    rows = everything(found)
    assert set(rows["role"]) == {"secondary"} and rows["rank_low"].isna().all()
    assert "ranks" not in {one.key for one in sections(found, [])}


def test_a_table_of_others_has_declared_none(tmp_path):
    folder = declared(tmp_path / "r")
    plan = json.loads((folder / "study.json").read_text())
    plan["analysis"] = {"margin": 5}
    (folder / "study.json").write_text(json.dumps(plan))
    assert gather([folder], "fd_classifier").declared == ""
