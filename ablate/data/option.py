"""Options of data sets: those that count something, and those that say how files are read."""

import json
from collections.abc import Mapping
from typing import Any

from ablate.errors import UserError

# How files are read is like where they lie: what came out is hashed into `data.fingerprint`, and a
# trial's id does not hold it. The defaults stand for sets that have no such option.
READING: Mapping[str, object] = {
    "background": "white",
    "skip_unreadable": False,
    "array": None,
    "label_column": "auto",
}


MOST = 2**16  # of a side
MOST_SAMPLES = 10**7  # of a set that is made


def whole_number(option: str, value: object, least: int, most: int = MOST) -> int:
    """`value` if it is an integer from `least` to `most`.

    Raises:
        UserError: Anything else.
    """
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise UserError(
            f"data.{option} must be a whole number of at least {least} but got {value!r}; "
            f"write for example data.{option}={max(least, 32)}."
        )
    if value > most:
        raise UserError(f"data.{option}={value} is more than {most:,}; write a smaller number.")
    return value


def switch(option: str, value: object) -> bool:
    """`value` if it is true or false.

    Raises:
        UserError: Anything else.
    """
    if not isinstance(value, bool):
        raise UserError(f"data.{option} must be true or false but got {value!r}.")
    return value


def decisive(options: Mapping[str, Any]) -> dict[str, Any]:
    """Options as a trial holds them: without those that only say how files are read.

    A label column that was named stays, as it always was; `auto` was written null.
    """
    kept = {key: value for key, value in options.items() if key not in READING}
    if "label_column" in options:
        named = options["label_column"]
        kept["label_column"] = None if named == READING["label_column"] else named
    return kept


def reading_of(options: Mapping[str, Any]) -> str:
    """JSON of the options that say how files are read."""
    given = {key: value for key, value in options.items() if key in READING}
    return json.dumps(given, sort_keys=True)


def remade(decided: Mapping[str, Any], reading: str) -> dict[str, Any]:
    """The options of a set again, from those that a trial holds and those of this machine."""
    options = {key: value for key, value in decided.items() if key != "fingerprint"}
    if options.get("label_column", "") is None:
        options["label_column"] = READING["label_column"]
    return {**options, **json.loads(reading)}
