"""A wheel is whole: built, installed elsewhere, and run from a folder that is no checkout."""

import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """The `ablate` of a new environment that has the wheel, and our dependencies behind it."""
    pytest.importorskip("hatchling", reason="needs hatchling, which `make test` installs")
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation"]
    subprocess.run([*build, "-w", folder, ROOT], check=True)
    venv.create(folder / "env", with_pip=False)
    python = folder / "env" / "bin" / "python"
    site = next((folder / "env" / "lib").glob("python*")) / "site-packages"
    (wheel,) = folder.glob("*.whl")
    into = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target", site, wheel]
    subprocess.run(into, check=True)
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib"))
    return python, folder


def ablate(installed, *arguments):
    python, folder = installed
    command = [python, "-P", "-m", "ablate", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_the_wheel_brings_its_config_and_trains(installed):
    python, folder = installed
    home = subprocess.run(
        [python, "-P", "-c", "import ablate; print(ablate.__file__)"],
        cwd=folder, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    assert home.startswith(str(folder)), "the checkout's package was imported"
    done = ablate(
        installed, "train", "trick=[label_smooth]", "data=ring8", "model=mlp", "budget=smoke",
        "budget.samples=64", f"cache={folder / 'cache'}",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "done" in done.stdout


def test_the_wheel_tells_no_commit(installed):
    """That of a checkout around the environment would be a lie."""
    python, folder = installed
    code = "from ablate.runner.provenance import git_state; print(git_state())"
    done = subprocess.run(
        [python, "-P", "-c", code], cwd=folder, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "{}"


def test_the_wheel_brings_its_studies(installed):
    done = ablate(installed, "sweep", "no_such_study")
    assert done.returncode == 2
    assert "demo" in done.stderr, done.stderr
