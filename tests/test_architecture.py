"""docs/architecture.svg is what the imports say today."""

import runpy
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[1] / "docs"


def test_the_picture_is_drawn_from_this_code():
    pytest.importorskip("grimp", reason="needs import-linter, which `make test` installs")
    drawn = runpy.run_path(str(DOCS / "architecture.py"))["draw"]()
    assert drawn == (DOCS / "architecture.svg").read_text(), "type python docs/architecture.py"
