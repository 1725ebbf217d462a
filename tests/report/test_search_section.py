"""What a search has tried: counts are whole, and what found nothing says so."""

import pandas as pd

from ablate.report.tables.search import search_lines, search_table

ARM = {"settings": {"complete": 3}, "failed": 0, "images": 9000, "budget_images": 9600,
       "tricks": {"r1": {"gamma": 0.123456}}, "searched": ["r1.gamma"]}  # fmt: skip
FOUND = ARM | {"arm": "r1", "best": 2, "value": 2.5}
NOTHING = ARM | {"arm": "top_k", "best": None, "value": None, "failed": 3}
STUDY = {"tuning_metric": "fd_classifier", "tuning_seeds": [100], "search": [FOUND, NOTHING]}


def test_an_arm_whose_search_found_nothing_takes_no_digits_from_the_others():
    lines = [line for line in search_lines(STUDY) if line.startswith(("| r1", "| top"))]
    assert "| 12.18 (setting 2) |" in lines[0]  # exp(2.5), by hand
    assert "| none |" in lines[1] and "3 failed" in lines[1]
    assert "nan" not in "".join(lines)
    assert search_table(STUDY)["best"].tolist() == [2, pd.NA]
