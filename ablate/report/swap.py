"""The report's folder, replaced whole: until the last moment the old report stands."""

from __future__ import annotations

import glob
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ablate.disk import is_gone, mark, telling_disk_errors
from ablate.errors import UserError
from ablate.store.plan import locked

MANIFEST = "manifest.json"


@contextmanager
def swapped_in(out: Path) -> Iterator[Path]:
    """Give an empty sibling of `out`; at the end of the block it takes the place of `out`.

    After an error inside the block, or a kill at any moment, the old report is there or is put back
    by the next call.

    Raises:
        UserError: `out` holds anything that no report has written, or cannot be written.
    """
    out = out.absolute()
    _make_parent(out)
    old = out.with_name(f".{out.name}.old")
    with telling_disk_errors(out):
        with locked(out.parent, alone=True):  # of two at once, one after the other
            _recover(out, old)
            _refuse_foreign(out)
        unfinished = Path(tempfile.mkdtemp(mark(), f".{out.name}.", out.parent))
        try:
            yield unfinished
            unfinished.chmod(0o755)  # mkdtemp makes folders that only their owner may read
            with locked(out.parent, alone=True):
                _recover(out, old)
                _exchange(unfinished, out, old)
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)


def _make_parent(out: Path) -> None:
    """Make the folder that a report's folder lies in.

    Raises:
        UserError: No folder can be there.
    """
    if not out.name:
        raise UserError(f"{out} cannot be replaced by a report; name a folder: -o reports/demo.")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(
            f"{out} cannot be made ({error.strerror}); name another folder: -o reports/demo."
        ) from error


def _recover(out: Path, old: Path) -> None:
    """Finish what a call that was killed has left: between its two renames, or before them."""
    if old.is_dir() and not out.exists():
        os.replace(old, out)
    shutil.rmtree(old, ignore_errors=True)
    for left in out.parent.glob(f".{glob.escape(out.name)}.*"):
        if is_gone(left.name):
            shutil.rmtree(left, ignore_errors=True)


def _exchange(unfinished: Path, out: Path, old: Path) -> None:
    if out.exists():
        os.replace(out, old)
    try:
        os.replace(unfinished, out)
    except OSError:
        if old.exists():
            os.replace(old, out)
        raise
    shutil.rmtree(old, ignore_errors=True)


def _refuse_foreign(out: Path) -> None:
    """Nobody loses a file to a report: `-o .` would otherwise replace a whole folder."""
    if not out.exists():
        return
    if not out.is_dir():
        raise UserError(f"{out} is a file; name a folder for the report.")
    present = {path.name for path in out.iterdir()}
    foreign = sorted(present - _written(out))
    if foreign:
        raise UserError(
            f"{out} holds {foreign[0]}, which no report wrote and a new one would replace; "
            "move it or name another folder."
        )


def _written(out: Path) -> set[str]:
    try:
        files = json.loads((out / MANIFEST).read_text(encoding="utf-8"))["files"]
    except (OSError, ValueError, KeyError, TypeError):
        return set()
    return {MANIFEST, *files}
