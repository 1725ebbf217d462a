"""Whether Weights & Biases has a key here: asked of no server, and never of a person."""

from __future__ import annotations

import netrc
import os
from pathlib import Path
from urllib.parse import urlsplit


def has_key() -> bool:
    """Return whether a key was exported, or kept by `wandb login` for the server in use."""
    if os.environ.get("WANDB_API_KEY") or os.environ.get("WANDB_IDENTITY_TOKEN_FILE"):
        return True
    host = urlsplit(server()).hostname or ""
    home = Path.home()
    named = os.environ.get("NETRC")
    files = [Path(named).expanduser()] if named else [home / ".netrc", home / "_netrc"]
    for file in filter(Path.is_file, files):
        try:
            return netrc.netrc(file).authenticators(host) is not None
        except (netrc.NetrcParseError, OSError):
            return True  # wandb reads it in its own way, and tells what it finds
    return False


def server() -> str:
    """Return the address of the server that wandb would talk to: exported, kept, or its own."""
    import wandb

    try:
        return str(wandb.setup().settings.base_url)
    finally:
        wandb.teardown()  # what asked for the settings is no run
