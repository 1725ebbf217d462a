"""The bundled digits, pinned: results are compared across machines under this fingerprint."""

from ablate.data import load


def test_digits_are_pinned():
    dataset = load("digits")
    assert dataset.shape == (1, 8, 8)
    assert (len(dataset.train), len(dataset.held_out), dataset.classes) == (1438, 359, 10)
    assert dataset.fingerprint == "d83231d3abc65730"


def test_grey_levels_fill_the_byte():
    levels = load("digits").train.images.unique().tolist()
    assert levels == [round(level * 255 / 16) for level in range(17)]
