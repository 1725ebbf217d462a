"""The code that trained: a checkout's commit, or nothing where there is none."""

import subprocess
from pathlib import Path

import pytest

from ablate.config.catalog import conf_root
from ablate.runner.provenance import git_state

ROOT = Path(__file__).parents[2]


def test_a_checkout_tells_its_commit():
    if not (ROOT / ".git").exists():
        pytest.skip("this is no checkout")
    words = ["git", "-C", ROOT, "rev-parse", "HEAD"]
    head = subprocess.run(words, capture_output=True, text=True, check=True).stdout.strip()
    assert git_state()["commit"] == head


def test_a_checkout_has_its_conf_beside_the_package():
    assert Path(conf_root()) == ROOT
