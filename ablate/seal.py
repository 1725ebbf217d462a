"""Files that tell whether they are what was written: digests, and JSON objects with a seal.

Results from before there were seals have none, and are read as they are.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

SEAL, FILES = "seal", "files"


def digest(content: bytes) -> str:
    """Return 32 hex digits of bytes."""
    return hashlib.sha256(content).hexdigest()[:32]


def sealed(content: Mapping[str, Any]) -> bytes:
    """Return a JSON object as a file's content, with a digest of all that it says."""
    plain = json.loads(json.dumps(content, default=str))
    text = json.dumps({**plain, SEAL: _seal_of(plain)}, sort_keys=True, indent=1)
    return f"{text}\n".encode()


def unsealed(content: bytes) -> dict[str, Any]:
    """Return the JSON object of a file, without its seal.

    Raises:
        ValueError: It is none, or another one than was written.
    """
    try:
        found = json.loads(content)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
    if not isinstance(found, dict):
        raise ValueError("it is no JSON object")
    seal = found.pop(SEAL, None)
    sealed_once = seal is not None or FILES in found  # what tells digests of files has a seal
    if sealed_once and seal != _seal_of(found):
        raise ValueError("it is not what was written")
    return found


def _seal_of(plain: Mapping[str, Any]) -> str:
    return digest(json.dumps(plain, sort_keys=True).encode())
