"""ONNX files of a deformable convolution: right for another number of images than the example's."""

import pytest
import torch
from onnx_files import EXPECTED_WARNINGS, EXPORTERS, export, run

from roilearn import ops

pytestmark = EXPECTED_WARNINGS
WEIGHT = torch.linspace(-1, 1, 3 * 2 * 9).reshape(3, 2, 3, 3)


def convolve(features, offset, mask):
    return ops.deform_conv2d(features, offset, WEIGHT, padding=1, mask=mask)


def drawn(images):
    random = torch.Generator().manual_seed(images)
    shapes = ((images, 2, 7, 8), (images, 18, 7, 8), (images, 9, 7, 8))
    return tuple(torch.randn(shape, generator=random) for shape in shapes)


@pytest.mark.parametrize("dynamo", EXPORTERS)
def test_deformable_convolution(dynamo):
    with torch.no_grad():
        model = export(convolve, drawn(2), dynamo)
    for images in (2, 3, 1):
        torch.testing.assert_close(run(model, *drawn(images)), convolve(*drawn(images)))
