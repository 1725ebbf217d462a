"""`ablate.core.optim`, by its name of before; gone with the next release."""

from ablate.core.optim import *  # noqa: F403
