"""Files in which a launcher hands jobs all that was typed: for nobody else, and not for long."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import Any


@contextmanager
def private(jobs: str | None) -> Iterator[None]:
    """Keep from others the folders in which submitit keeps jobs, and empty them of pickles.

    Args:
        jobs: Where submitit keeps each job's, None with other launchers.
    """
    if jobs is None:
        yield
        return
    folder = Path(jobs).parent
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    yield
    for file in folder.glob("*/*.pkl"):  # not after an error: jobs may wait in a queue
        file.unlink(missing_ok=True)


def jobs_of(launcher: Any) -> str | None:
    """Return where a launcher keeps its jobs, None where it keeps none."""
    found: str | None = getattr(launcher, "params", {}).get("submitit_folder")
    return found


def privately(sweep: Callable[..., Any]) -> Callable[..., Any]:
    """Return the method of a sweeper that launches jobs, with these kept private."""

    @wraps(sweep)
    def kept(sweeper: Any, *given: Any, **named: Any) -> Any:
        with private(jobs_of(sweeper.launcher)):
            return sweep(sweeper, *given, **named)

    return kept
