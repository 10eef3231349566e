"""Anchors of a batch: strides follow from sizes; all images have the same anchors."""

import pytest
import torch

from roilearn.models import AnchorGenerator
from roilearn.ops import pyramid_anchors


def maps(*sizes, dtype=torch.float32):
    return [torch.zeros(2, 3, *size, dtype=dtype) for size in sizes]


def test_strides_are_whole_pixels_a_cell_along_each_axis():
    found = AnchorGenerator((16, 32))((48, 100), maps((12, 12), (6, 6)))
    expected = pyramid_anchors([(12, 12), (6, 6)], [(4, 8), (8, 16)], (16, 32))
    assert all(torch.equal(a, b) for a, b in zip(found, expected, strict=True))


def test_anchors_stand_over_what_their_cells_look_at():
    (anchors,) = AnchorGenerator((16,), (1.0,))((32, 48), maps((2, 3)))
    centres = (anchors[:, :2] + anchors[:, 2:]) / 2
    assert centres.tolist() == [[8, 8], [24, 8], [40, 8], [8, 24], [24, 24], [40, 24]]


def test_how_many_a_cell():
    generator = AnchorGenerator([(16, 32), (64, 128)], (0.5, 1, 2))
    assert generator.num_anchors_per_location() == [6, 6]
    assert [len(level) for level in generator((8, 8), maps((4, 4), (2, 2)))] == [96, 24]
    assert not list(generator.state_dict())
    assert "offset=0.5" in repr(generator)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_half_precision_holds_no_coordinates(dtype):
    (anchors,) = AnchorGenerator((33,), (1.0,))((2048, 2048), maps((128, 128), dtype=dtype))
    assert anchors.dtype == (torch.float64 if dtype == torch.float64 else torch.float32)
    assert anchors[-1].tolist() == [2023.5, 2023.5, 2056.5, 2056.5]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"sizes": [(16, 32), (64,)]}, "as many anchors at a cell of every level.*got 6, 3"),
        ({"sizes": []}, "as many anchors at a cell of every level.*got no level"),
        ({"sizes": [16, -1]}, r"sizes\[1\] must be finite and positive"),
        ({"sizes": [16], "aspect_ratios": (0.0,)}, "aspect_ratios must be finite and positive"),
    ],
)
def test_settings_that_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        AnchorGenerator(**settings)


def test_maps_that_are_refused():
    generator = AnchorGenerator((16, 32))
    with pytest.raises(ValueError, match="sizes, features must have one entry for each level"):
        generator((32, 32), maps((8, 8)))
    with pytest.raises(ValueError, match="feature_size must be at least 1"):
        generator((32, 32), maps((8, 8), (0, 4)))
    with pytest.raises(ValueError, match="stride must be finite and positive"):
        generator((0, 32), maps((8, 8), (4, 4)))
