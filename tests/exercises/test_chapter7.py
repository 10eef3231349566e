"""The answers of chapter 7 are right by another road: PyTorch's blocks, gradients and shapes."""

import numpy as np
import pytest
import torch
from torch import nn

from roilearn import exercises, models, reference
from roilearn.exercises import chapter7


def block(first, second):
    """The package's identity block with the two rows of weights in the middle of its windows."""
    made = models.IdentityBlock(models.basic_branch(1, 1), nn.Identity).double()
    with torch.no_grad():
        for convolution, weights in ((made.conv1, first), (made.conv2, second)):
            convolution.weight.zero_()
            convolution.weight[0, 0, 1] = torch.as_tensor(np.asarray(weights, dtype=float))
    return made


def as_map(row):
    return torch.tensor(np.asarray(row, dtype=float))[None, None, None]


def test_by_hand_is_the_package_s_block():
    made = block([0, 1, -1], [-1, 1, -0.5])
    found = made(as_map([1, 3])).detach().numpy()[0, 0, 0]
    np.testing.assert_allclose(found, chapter7.BY_HAND.answer)


def test_columns_are_those_of_the_body():
    with torch.no_grad():
        maps = models.resnet_tiny()(torch.zeros(1, 3, 32, 1066))
    assert maps[2].shape[-1] == chapter7.COLUMNS.answer
    assert maps[1].shape[-1] == {m.name: m.answer for m in chapter7.COLUMNS.mistakes}["C3"]


def test_the_field_is_the_reference_s():
    fields = [
        reference.receptive_field(m) for m in reference.resnet_layers(7, (2, 2, 2, 2), (3, 3))
    ]
    assert fields[1].size == chapter7.FIELD.answer
    said = {mistake.name: mistake.answer for mistake in chapter7.FIELD.mistakes}
    assert (fields[0].size, fields[1].stride) == (said["C2"], said["stride"])


@pytest.mark.parametrize(("layers", "cell", "length"), chapter7.PIXELS.calls)
def test_pixels_seen_are_those_that_a_gradient_reaches(layers, cell, length):
    network = nn.Sequential(*(nn.Conv1d(1, 1, k, s, p, bias=False) for k, s, p in layers))
    for weight in network.parameters():
        nn.init.ones_(weight)
    image = torch.zeros(1, 1, length, requires_grad=True)
    network(image)[0, 0, cell].backward()
    where = np.flatnonzero(image.grad.numpy())
    assert chapter7.pixels_seen(layers, cell, length) == [where[0], where[-1] + 1]


@pytest.mark.parametrize(("row", "first", "second"), chapter7.ROW.calls)
def test_a_row_is_the_package_s_block(row, first, second):
    found = block(first, second)(as_map(row)).detach().numpy()[0, 0, 0]
    np.testing.assert_allclose(chapter7.identity_row(row, first, second), found, atol=1e-12)


@pytest.mark.parametrize(("row", "first", "second", "gradient"), chapter7.GRADIENT.calls)
def test_the_gradient_is_pytorch_s(row, first, second, gradient):
    features = as_map(row).requires_grad_()
    block(first, second)(features).backward(as_map(gradient))
    found = chapter7.gradient_of_row(row, first, second, gradient)
    np.testing.assert_allclose(found, features.grad.numpy()[0, 0, 0], atol=1e-12)


def test_a_vectorised_answer_passes():
    def vectorised(row, first, second):
        inner = np.maximum(np.correlate(np.pad(row, 1), first, "valid"), 0)
        return np.maximum(np.correlate(np.pad(inner, 1), second, "valid") + row, 0)

    assert exercises.check("7.5", vectorised)
