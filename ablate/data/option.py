"""One check for every option that counts something."""

from ablate.errors import UserError


def whole_number(option: str, value: object, least: int) -> int:
    """`value` if it is an integer of at least `least`.

    Raises:
        UserError: Anything else.
    """
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise UserError(
            f"data.{option} must be a whole number of at least {least} but got {value!r}; "
            f"write for example data.{option}={max(least, 32)}."
        )
    return value
