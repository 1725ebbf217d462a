"""What others read of `schema.py`: a JSON Schema and the tables of docs/results.md.

`python -m ablate.store.documents docs` writes both anew.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from ablate.store.schema import CURVES, MARKS, METRICS, RESULTS, SCHEMA, STATUSES, TRIAL, Column

KINDS = {"int64": "integer", "float64": "number", "str": "string"}
PAGE, RULES = "results.md", "results_schema.json"
TABLES = {"trial": TRIAL, "metrics": METRICS, "mark": MARKS, "curves": CURVES}


def json_schema() -> dict[str, Any]:
    """Return the rules for `store.read(...)` as a list of rows, in JSON Schema 2020-12."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"Results of ablate, schema {SCHEMA}",
        "type": "array",
        "items": {
            "type": "object",
            "properties": {column.name: _rule(column) for column in RESULTS},
            "required": [column.name for column in RESULTS],
            "additionalProperties": {"enum": [0, 1], "description": "A trick: 1 is on."},
        },
    }


def _rule(column: Column) -> dict[str, Any]:
    """Return what a cell may hold; a trial without a value has a row without metric."""
    kind: Any = KINDS[column.dtype]
    if column.dtype == "float64" or (column in METRICS and column.dtype == "str"):
        kind = [kind, "null"]
    rule = {"type": kind, "description": column.meaning}
    if column.unit:
        rule["unit"] = column.unit
    if column.name == "status":
        rule["enum"] = list(STATUSES)
    if column.unit == "real images":
        rule["minimum"] = 0
    return rule


def page(text: str) -> str:
    """Return docs/results.md with its tables as `schema.py` has them."""
    for name, columns in TABLES.items():
        start, end = f"<!-- {name} -->\n", f"<!-- end of {name} -->"
        before, rest = text.split(start)
        text = before + start + _table(columns) + end + rest.split(end)[1]
    return text


def _table(columns: tuple[Column, ...]) -> str:
    lines = ["| column | dtype | unit | meaning |", "| :-- | :-- | :-- | :-- |"]
    lines += [f"| `{c.name}` | {c.dtype} | {c.unit} | {c.meaning} |" for c in columns]
    return "".join(f"{line}\n" for line in lines)


def write(folder: Path) -> None:
    """Write both files."""
    rules = json.dumps(json_schema(), indent=1) + "\n"
    (folder / RULES).write_text(rules, encoding="utf-8")
    text = (folder / PAGE).read_text(encoding="utf-8")
    (folder / PAGE).write_text(page(text), encoding="utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1]))
