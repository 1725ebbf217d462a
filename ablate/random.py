"""`ablate.core.rng`, by its name of before; gone with the next release."""

from ablate.core.rng import *  # noqa: F403
