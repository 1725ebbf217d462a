"""Download the public files of a set, checked against known sums."""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ablate.errors import UserError

TIMEOUT_SECONDS = 30  # without an answer
MOST_BYTES = 2**30  # of a file
LOOK_SECONDS = 60.0  # between looks at the pace
SLOWEST_BYTES = 60_000  # from one look to the next: 170 MB would take two days


@dataclass(frozen=True)
class Source:
    """Where a set is published.

    Attributes:
        base_url: Address that the file names are appended to; ends with a slash.
        files: File name -> checksum "md5:..." as its publisher states it.
    """

    base_url: str
    files: Mapping[str, str]


SOURCES: dict[str, Source] = {
    "mnist": Source(
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
        {
            "train-images-idx3-ubyte.gz": "md5:f68b3c2dcbeaaa9fbdd348bbdeb94873",
            "train-labels-idx1-ubyte.gz": "md5:d53e105ee54ea40749a09fcbcd1e9432",
            "t10k-images-idx3-ubyte.gz": "md5:9fb629c4189551a2d022fa330f9573f3",
            "t10k-labels-idx1-ubyte.gz": "md5:ec29112dd5afa0611ce80d1b7f02629c",
        },
    ),
    "fashion_mnist": Source(
        "https://github.com/zalandoresearch/fashion-mnist/raw/master/data/fashion/",
        {
            "train-images-idx3-ubyte.gz": "md5:8d4fb7e6c68d591d4c3dfef9ec88bf0d",
            "train-labels-idx1-ubyte.gz": "md5:25c81989df183df01b3e8a0aad5dffbe",
            "t10k-images-idx3-ubyte.gz": "md5:bef4ecab320f06d8554ea6380940ec79",
            "t10k-labels-idx1-ubyte.gz": "md5:bb300cfdad3c16e7a12a480ee83cd310",
        },
    ),
    "cifar10": Source(
        "https://www.cs.toronto.edu/~kriz/",
        {"cifar-10-python.tar.gz": "md5:c58f30108f718f92721af3b95e74349a"},
    ),
}


def fetch(
    name: str,
    root: str | Path,
    base_url: str | None = None,
    sources: Mapping[str, Source] = SOURCES,
) -> Path:
    """Download the files of a set into `root/name`; files that are already right stay.

    Args:
        name: A key of `sources`.
        root: Folder of all sets; it is created.
        base_url: A mirror to ask instead of the publisher.
        sources: What is known about public files.

    Returns:
        The folder with the files, to be passed as `data.root`.

    Raises:
        UserError: An unknown name, a failed connection, a wrong checksum or an unwritable
            folder. A file is either whole and checked, or absent.
    """
    if name not in sources:
        raise UserError(
            f"Data set {name!r} cannot be downloaded; write one of {', '.join(sorted(sources))}."
        )
    folder = Path(root).expanduser() / name
    address = (base_url or sources[name].base_url).rstrip("/") + "/"
    for file, checksum in sources[name].files.items():
        _download(address + file, folder / file, checksum)
    return folder


def _download(url: str, target: Path, checksum: str) -> None:
    import pooch
    from requests import RequestException
    from urllib3.exceptions import HTTPError

    # Pooch writes beside the target and renames only after the sum was checked.
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        pooch.retrieve(
            url,
            checksum,
            target.name,
            target.parent,
            downloader=_bounded,
        )
    except (RequestException, HTTPError) as error:
        _remove_if_empty(target.parent)
        raise UserError(
            f"Could not download {url} ({type(error).__name__}); check the connection, "
            f"or put the file into {target.parent} by hand."
        ) from error
    except UserError:
        _remove_if_empty(target.parent)
        raise
    except OSError as error:
        raise UserError(
            f"Could not write {target} ({error.strerror}); give a folder that can be written."
        ) from error
    except ValueError as error:
        _remove_if_empty(target.parent)
        raise UserError(
            f"The file at {url} is not the published one (checksum differs from {checksum}); "
            "try again, or give a mirror as base_url."
        ) from error


def _bounded(url: str, target: str, _: object) -> None:
    """Write what an address sends to a file, up to a size: an answer may have no end.

    Raises:
        UserError: It is larger than any published file, or would take days.
    """
    import requests

    size = 0
    with requests.get(url, stream=True, timeout=TIMEOUT_SECONDS) as answer, open(target, "wb") as f:
        answer.raise_for_status()
        for piece in _in_time(url, answer.raw):
            size += len(piece)
            if size > MOST_BYTES:
                raise UserError(
                    f"{url} sends more than {MOST_BYTES:,} bytes, and no published file has as "
                    "many; give another mirror, or put the file there by hand."
                )
            f.write(piece)


def _in_time(url: str, raw: Any) -> Iterator[bytes]:
    """Yield what arrives, at once: who waits for a whole piece waits for ever where it trickles.

    Raises:
        UserError: Next to nothing has arrived since the last look.
    """
    size, looked = 0, time.monotonic()
    while piece := raw.read1(2**20, decode_content=True):
        yield piece
        size += len(piece)
        if time.monotonic() - looked > LOOK_SECONDS:
            if size < SLOWEST_BYTES:
                raise UserError(
                    f"{url} sent {size:,} bytes in {LOOK_SECONDS:g} s, too few to end; try again "
                    "later, give another mirror, or put the file there by hand."
                )
            size, looked = 0, time.monotonic()


def _remove_if_empty(folder: Path) -> None:
    if folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()
