"""Results of any other trainer, taken in as a table."""

from ablate.intake.asked import Declared, Reading
from ablate.intake.take import Taken, import_table, told

__all__ = ["Declared", "Reading", "Taken", "import_table", "told"]
