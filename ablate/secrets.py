"""What is secret: decided here alone, for everything that is written or printed.

A name decides (`password=`, `api_key:`, `AWS_...`, settings of an environment), an address does
(who logs in, and everything behind its `?`), and some tokens tell by themselves (`ghp_...`). In
doubt something is hidden: a command that lost a word can be typed again, a password that got out
cannot be called back.
"""

from __future__ import annotations

import ctypes
import os
import re
import sys
import traceback
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import unquote

HIDDEN = "***"
INSIDE = re.compile(
    r"passw|passphrase|secret|token|credential|authori[sz]ation|bearer|cookie|signature|signing"
    r"|\baws_|(api|access|private|account|storage|auth|encryption|ssh|license|master)[-_. ]?key"
    r"|[-_]key$|connection[-_]?string|webhook",
    re.IGNORECASE,
)
PARTS = frozenset(
    "pass pw pwd auth sig sas jwt pat otp env environ environment envs".split()  # noqa: SIM905
)
PART = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")  # of a name: env_set, dbPwd, X-Amz-Sig
TOKENS = re.compile(
    r"\b(gh[pousr]_|github_pat_|glpat-|hf_|sk-|pk_live_|xox[abeoprs]-|ya29\.|npm_|pypi-|dop_v1_|AIza)"
    r"[\w.-]{12,}|\b(AKIA|ASIA)[A-Z0-9]{12,}|\beyJ[\w-]{8,}\.[\w.-]+"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----[^-]*(-----END [A-Z ]*-----)?"
)
# A user of these stands before the host without being a secret; elsewhere it may be a token.
NAMED = re.compile(r"(postgres|postgresql|mysql|mariadb|oracle|mssql|cockroachdb|ssh)\b.*", re.I)
MOST_LETTERS = 10_000
NAME = r"[\w.+~$@/%-]++"
SIGN = r"[\\\"'\s]*[=:][\\\"'\s]*"
PAIR = re.compile(rf"(?P<name>{NAME})(?P<sign>{SIGN})")
SAID = re.compile(
    rf"(?P<name>{NAME})(?P<sign>[\\\"']*\s*[=:]\s*)(?P<value>(?:(?:Bearer|Basic|Token)\s+)?"
    r"(?:\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'|[^\s,;&\"'`)}\]]+))"
)
LOGIN = re.compile(r"(?P<scheme>[A-Za-z][\w+.-]*):(?P<slashes>[\\/]*/)(?P<who>.*)@", re.DOTALL)
SAID_LOGIN = re.compile(r"(?P<scheme>[A-Za-z][\w+.-]*):(?P<slashes>[\\/]*/)(?P<who>[^\s`]*)@")
# A login whose `@` was left out or cut off: behind the colon stands no port.
PORTLESS = re.compile(r"(:[\\/]*//[\w.%+-]*:)(?!\d{0,5}(?:[/?#,;)\s\"']|$)|\*)[^\s@]+")
QUERY = re.compile(r"([?&#;][^=&#?\s]+=)[^&#]+")
SAID_QUERY = re.compile(r"([?&#][^=&#?\s]+=)[^&#\s\"'`)]+")
BARE_LOGIN = re.compile(r"(?<![\w/*])[\w.%+-]+:[^\s@/`'\"]+@(?=[\w\[])")
ADDRESS = re.compile(r":[\\/]*/")
SEAMS = r"[\s@:/?#'\"\\,;&(){}\[\]=]+"  # where others may take a secret apart
SHORTEST = 4  # of what is looked for in other text; shorter ones are part of any word
_found: set[str] = set()  # the secrets of this process: hidden wherever they show up once more


def hidden(value: Any, name: str = "") -> Any:
    """Return a value without secrets: a word of a command line, a list of such, a config tree.

    What is hidden is remembered, so that `said` finds it in the words of others as well.

    Args:
        value: A string is taken as a whole: a password in it may have spaces, quotes or an `@`.
        name: Of the value; everything under a secret name is hidden.
    """
    if isinstance(value, Mapping):
        return {key: hidden(one, f"{name}.{key}") for key, one in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(
            hidden(one, name or _option(before))
            for before, one in zip(("", *value), value, strict=False)
        )
    if name and value is not None and is_secret(name):
        _remember(str(value))
        return HIDDEN
    return _whole(value) if isinstance(value, str) else value


def is_secret(name: str) -> bool:
    """Return whether what a name holds is secret."""
    parts = [part.casefold() for part in PART.findall(name)]
    return bool(INSIDE.search(name)) or not PARTS.isdisjoint(parts)


def said(text: str) -> str:
    """Return sentences, a trace or a file without secrets; the words around them stay."""
    for secret in sorted(_found, key=len, reverse=True):
        if secret in text:
            is_word = secret.isalpha() or secret.isdigit()  # which may be a part of another
            word = rf"(?<!\w){re.escape(secret)}(?!\w)"
            text = re.sub(word, HIDDEN, text) if is_word else text.replace(secret, HIDDEN)
    if ADDRESS.search(text):
        text = PORTLESS.sub(_query, SAID_LOGIN.sub(_login, text))
        text = SAID_QUERY.sub(rf"\1{HIDDEN}", text)
    if "@" in text:
        text = BARE_LOGIN.sub(f"{HIDDEN}@", text)
    return TOKENS.sub(HIDDEN, SAID.sub(_pair, text))


def forget() -> None:
    """Remember nothing: another command begins."""
    _found.clear()


def tell_traces() -> None:
    """Let the trace of an error of ours, which the interpreter prints, hide secrets too."""
    sys.excepthook = _excepthook


def hide_arguments() -> None:
    """Hide secrets from whoever asks in this process what was typed: ourselves, and W&B."""
    sys.argv[:] = hidden(sys.argv)
    sys.orig_argv[:] = hidden(sys.orig_argv)


def hide_title() -> None:
    """Hide secrets from whoever lists the processes of this machine, as far as it is a Linux."""
    try:
        words = Path("/proc/self/cmdline").read_bytes()
        fields = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return
    start, end = int(fields[45]), int(fields[46])  # where the words lie in our memory
    shown = os.fsencode("\0".join(hidden(os.fsdecode(words).split("\0"))))
    if start and end - start == len(words) and shown != words:
        ctypes.memmove(start, shown[: len(words) - 1].ljust(len(words), b"\0"), len(words))


def _option(word: object) -> str:
    """Return the name of an option, whose value is the next word; "" of all other words."""
    return word if isinstance(word, str) and word[:1] == "-" and "=" not in word else ""


def _whole(text: str) -> str:
    """Return a string without secrets, whatever letters they have."""
    if len(text) > MOST_LETTERS:
        return HIDDEN  # nobody types so much, and looking through it would take long
    plain = unquote(text)
    if plain != text and not ADDRESS.search(text) and ADDRESS.search(plain):
        return _whole(plain)  # an address that was escaped as a whole
    if ADDRESS.search(text):
        text = QUERY.sub(_query, PORTLESS.sub(_query, LOGIN.sub(_login, text)))
    for found in PAIR.finditer(text):
        value = text[found.end() :]
        if is_secret(found["name"]) and value and not value.startswith(HIDDEN):
            _remember(value)
            return text[: found.end()] + HIDDEN
    if "@" in text:
        text = BARE_LOGIN.sub(_bare, text)
    return TOKENS.sub(HIDDEN, text)


def _bare(found: re.Match[str]) -> str:
    """Return a login that stands before no address."""
    _remember(found[0].partition(":")[2][:-1])
    return f"{HIDDEN}@"


def _login(found: re.Match[str]) -> str:
    """Return an address up to its host, with nothing of who logs in but the name of a user."""
    user, colon, password = found["who"].partition(":")
    known = NAMED.fullmatch(found["scheme"]) and re.fullmatch(r"[\w.-]*", user)
    _remember(password if known else found["who"])
    who = (user + (f":{HIDDEN}" if colon else "")) if known else HIDDEN
    return f"{found['scheme']}:{found['slashes']}{who}@"


def _query(found: re.Match[str]) -> str:
    """Return a part of an address without the value at its end."""
    _remember(found[0][len(found[1]) :])
    return f"{found[1]}{HIDDEN}"


def _pair(found: re.Match[str]) -> str:
    """Return NAME=VALUE, its value hidden where the name is that of a secret."""
    if not is_secret(found["name"]) or found["value"].startswith(HIDDEN):
        return found[0]
    return f"{found['name']}{found['sign']}{HIDDEN}"


def _remember(secret: str) -> None:
    """Look for a secret, as it was typed and as it is meant, in all that is said later."""
    plain = unquote(secret)
    for one in (secret, plain, *re.split(SEAMS, secret), *re.split(SEAMS, plain)):
        if len(one) >= SHORTEST and HIDDEN not in one:
            _found.add(one)


def _excepthook(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    sys.stderr.write(said("".join(traceback.format_exception(kind, error, trace))))
