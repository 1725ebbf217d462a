"""Results of any other trainer, taken in as a table."""

from ablate.intake.take import Taken, import_table, told

__all__ = ["Taken", "import_table", "told"]
