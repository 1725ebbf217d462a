"""Optuna's storage: where its own tools, the dashboard first of all, see the search.

The truth about a search is in its books; what stands here is told from them, each setting once.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import optuna
from optuna.exceptions import StorageInternalError
from optuna.storages import RDBStorage
from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

from ablate.disk import make_folder
from ablate.errors import UserError
from ablate.search.arm import ArmSearch
from ablate.search.journal import Book
from ablate.search.mirror import FILE
from ablate.secrets import hidden

WAIT_SECONDS = 60  # for the lock of a SQLite file


def url_of(wanted: str | None, folder: Path) -> str:
    """Return the address of the storage: what `search.storage` says, or a file in the study."""
    return wanted or f"sqlite:///{(folder / FILE).resolve()}"


@contextmanager
def opened(url: str) -> Iterator[RDBStorage]:
    """Give the storage behind an address, and close its connections afterwards.

    Raises:
        UserError: It is no address, does not answer, or belongs to another major version of Optuna.
    """
    storage = None
    try:
        storage = connect(url)
        refuse_another_major(storage, url)
        yield storage
    except (SQLAlchemyError, StorageInternalError, OSError) as error:
        raise UserError(
            f"search.storage={shown(url)} does not answer ({_line(error)}); start the database, or "
            "type search.storage=null for a file in the study."
        ) from error
    finally:
        if storage is not None:
            storage.remove_session()
            storage.engine.dispose()


def connect(url: str) -> RDBStorage:
    """Return the storage behind an address.

    Raises:
        UserError: It is no address, its driver is missing, or Optuna cannot read its tables.
    """
    try:
        parsed = make_url(url)
        wait = {}
        if parsed.get_backend_name() == "sqlite" and parsed.database:
            wait = {"timeout": WAIT_SECONDS}
            if not parsed.database.startswith("file:"):
                make_folder(Path(parsed.database).parent)
        literal = url.replace("{", "{{").replace("}", "}}")  # Optuna takes it for a template
        return RDBStorage(literal, engine_kwargs={"connect_args": wait})
    except (ArgumentError, NoSuchModuleError, ValueError) as error:
        raise UserError(
            f"search.storage={shown(url)} is no address ({_line(error)}); type "
            "search.storage=postgresql://user@host/database, or null for a file in the study."
        ) from error
    except ImportError as error:
        raise UserError(
            f"search.storage={shown(url)} needs a driver ({_line(error)}); for PostgreSQL type "
            "pip install 'ablate[postgres]'."
        ) from error
    except RuntimeError as error:  # Optuna's own: the tables are of another version
        raise UserError(
            f"search.storage={shown(url)} belongs to another Optuna ({_line(error)}); name a "
            f"storage that Optuna {optuna.__version__} made."
        ) from error


def shown(url: str) -> str:
    """Return an address without its secrets."""
    return str(hidden(url))


def refuse_another_major(storage: RDBStorage, url: str) -> None:
    """Refuse tables that another major version of Optuna made: it reads times differently.

    Raises:
        UserError: The sentence names both versions.
    """
    with storage.engine.connect() as connection:
        row = connection.execute(text("SELECT library_version FROM version_info")).first()
    made = row[0] if row else optuna.__version__
    if made.split(".")[0] != optuna.__version__.split(".")[0]:
        raise UserError(
            f"search.storage={shown(url)} was made by Optuna {made}, and this is "
            f"{optuna.__version__}; name another database, or type search.storage=null for a file "
            "in the study."
        )


def tell(storage: RDBStorage, search: ArmSearch, book: Book) -> None:
    """Add what the book knows and the storage does not; the arm's lock is held."""
    study = optuna.create_study(
        storage=storage,
        study_name=f"{search.arm} {search.key}",
        directions=search.rules.directions,
        load_if_exists=True,
    )
    told = len(study.get_trials(deepcopy=False))
    for candidate in book.candidates[told:]:
        if not candidate.state:
            break
        study.add_trial(search.frozen(candidate))


def _line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
