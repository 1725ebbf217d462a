"""The batch is what is asked for, or the run's own."""

import pytest

from tests.world import gan, play, settings


@pytest.mark.parametrize(("size", "batch"), [(None, 16), (32, 32), (5, 5)])
def test_the_batch_is_what_is_asked_for(size, batch):
    g = play(gan({"batch_size": settings("batch_size", size=size)}), 2)
    assert g.feed.batch == g.recipe.batch_size == batch
