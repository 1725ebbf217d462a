"""How many real images the arms were shown, and at which evaluation they are compared."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from ablate.report import words

if TYPE_CHECKING:
    from ablate.report.study import Study


def shown(study: Study, form: str = "") -> str:
    """Return what the trials that are done were shown, `4000`, or `2000 to 3000` where they differ.

    As it was, not as it was planned: an imported table may hold anything. "" if it is not told.

    Args:
        study: The study.
        form: Of the numbers, as `format` takes it.
    """
    done = study.final.loc[~study.final["failed"], "images_shown"]
    if done.empty or done.max() == 0:
        return ""
    low, high = (format(int(end), form) for end in (done.min(), done.max()))
    return low if low == high else f"{low} to {high}"


def cut_short(table: pd.DataFrame) -> str:
    """Return that arms are compared before their ends, as equal images ask; "" if they are not.

    Args:
        table: Columns `columns.COMPARISON`.
    """
    measured = table[table["done"] > 0]
    longer = measured[measured["last_images"] > measured["compared_images"]]
    if longer.empty:
        return ""
    at = int(longer["compared_images"].iloc[0])
    ends = [f"{one['arm']} at {_range(one)}" for one in measured.to_dict("records")]
    return (
        f"Compared at {at} images, the last evaluation that all trials share: the last of each "
        f"are {words.listing(ends, 8)}. Costs are of whole trials."
    )


def _range(row: words.Row) -> str:
    low, high = row["last_images_low"], row["last_images"]
    return str(high) if low == high else f"{low} to {high}"
