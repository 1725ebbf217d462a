from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def shared_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One folder for the session, so that each classifier is trained once."""
    return tmp_path_factory.mktemp("metrics")
