"""What a kill, a disk, damage and bad input do to a study: attacks that are counted."""
