"""What is written about the table of results is what the code says of it."""

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from ablate.store import read
from ablate.store.documents import PAGE, RULES, json_schema, page, write
from tests.store.synthetic import write_study

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture(scope="module")
def rows(tmp_path_factory):
    folder = write_study(tmp_path_factory.mktemp("r"), {"reference": [20.0], "r1": [None]})
    return json.loads(read(folder).to_json(orient="records"))


def test_the_documents_are_current(tmp_path):
    (tmp_path / PAGE).write_text((DOCS / PAGE).read_text())
    write(tmp_path)
    again = "type `python -m ablate.store.documents docs`"
    for name in (PAGE, RULES):
        assert (tmp_path / name).read_text() == (DOCS / name).read_text(), again
    assert page(page((DOCS / PAGE).read_text())) == (DOCS / PAGE).read_text()


def test_results_keep_the_rules(rows):
    Draft202012Validator.check_schema(json_schema())
    Draft202012Validator(json_schema()).validate(rows)


@pytest.mark.parametrize(
    "changes",
    [
        {"status": "finished"},
        {"seed": 0.5},
        {"images": -1},
        {"value": "20"},
        {"arm": None},
        {"r1": 2},
    ],
)
def test_rows_that_break_a_rule_are_found(rows, changes):
    assert not Draft202012Validator(json_schema()).is_valid([rows[0] | changes])


@pytest.mark.parametrize("name", ["trial", "value", "conditions"])
def test_rows_that_lack_a_column_are_found(rows, name):
    row = {key: value for key, value in rows[0].items() if key != name}
    assert not Draft202012Validator(json_schema()).is_valid([row])
