"""What all tests share."""

import pytest
import torch

from tests.small import Place


@pytest.fixture
def double():
    """Double precision, in which laws hold to the last digits."""
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


@pytest.fixture(autouse=True, scope="session")
def _one_thread():
    """One thread a process: the suite runs a process a core."""
    torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def _same_draws():
    """What a test draws does not hang on the tests before it in its process."""
    torch.manual_seed(0)


@pytest.fixture
def place(tmp_path, monkeypatch, capsys):
    """An empty folder to type commands in."""
    monkeypatch.chdir(tmp_path)
    return Place(tmp_path, capsys)
