"""Results on disk: one folder a trial, written atomically, read as one long frame."""

from ablate.store.curves import read_curves
from ablate.store.provenance import read_provenance
from ablate.store.read import read, trick_names
from ablate.store.samples import read_all_samples, read_samples
from ablate.store.schema import SCHEMA, STATUSES
from ablate.store.write import write_trial

__all__ = [
    "SCHEMA",
    "STATUSES",
    "read",
    "read_all_samples",
    "read_curves",
    "read_provenance",
    "read_samples",
    "trick_names",
    "write_trial",
]
