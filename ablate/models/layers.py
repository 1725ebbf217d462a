"""`ablate.core.layers`, by its name of before; gone with the next release."""

from ablate.core.layers import *  # noqa: F403
from ablate.core.recipe import *  # noqa: F403
from ablate.seams.norms import *  # noqa: F403
