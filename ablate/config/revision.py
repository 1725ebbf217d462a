"""Which numbers this code gives: what we change about them has a revision.

A trial's id covers its config, and of our own code these numbers: where one is above 1 it is part
of the id, so that results of earlier code are never taken for those of today's. A trick's own
stands in its class (`Trick.revision`). `tests/golden` holds the numbers that belong to each, and
fails when they move without it.
"""

CORE = 1  # draws, feed, step, optimisers: what every trial shares
METRIC = 1  # scores of the same samples
MODELS = {"mlp": 1, "dcgan": 1, "resnet": 1}
