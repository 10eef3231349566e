"""Invalid masks: both implementations raise the same error."""

import numpy as np
import pytest
import torch

from roilearn import ops, reference

MASKS = np.ones((2, 1, 4, 4))
BOXES = np.array([[1.0, 2, 4, 6], [0, 0, 9, 3]])
SIZE = (5, 6)


@pytest.fixture(params=[reference, ops], ids=["reference", "ops"])
def call(request):
    def in_implementation(name, *arguments, **options):
        if request.param is ops:
            arguments = [torch.tensor(a) if isinstance(a, np.ndarray) else a for a in arguments]
        return getattr(request.param, name)(*arguments, **options)

    return in_implementation


@pytest.mark.parametrize("shape", [(3, 4), (2, 1, 3, 4), (2, 0, 4), (2, 3, 0)])
def test_shapes_that_have_no_boxes(call, shape):
    with pytest.raises(ValueError, match=r"masks must have shape \(N, H, W\), .* got shape \("):
        call("masks_to_boxes", np.zeros(shape))


def test_a_flag_that_is_none(call):
    with pytest.raises(TypeError, match=r"exclusive must be True or False; got 1"):
        call("masks_to_boxes", np.zeros((1, 2, 3)), 1)


@pytest.mark.parametrize("shape", [(2, 4, 4), (2, 3, 4, 4), (2, 1, 4, 5), (2, 1, 0, 0)])
def test_shapes_that_cannot_be_pasted(call, shape):
    with pytest.raises(ValueError, match=r"masks must have shape \(N, 1, M, M\), .* got shape \("):
        call("paste_masks_in_image", np.zeros(shape), BOXES, SIZE)


@pytest.mark.parametrize("dtype", [bool, np.uint8, np.int64])
def test_masks_that_are_not_floating(call, dtype):
    with pytest.raises(TypeError, match=r"masks must be floating point; got"):
        call("paste_masks_in_image", MASKS.astype(dtype), BOXES, SIZE)


def test_bad_boxes(call):
    with pytest.raises(ValueError, match=r"boxes must have a row for each of masks; got 1 rows"):
        call("paste_masks_in_image", MASKS, BOXES[:1], SIZE)
    with pytest.raises(ValueError, match=r"boxes must have shape \(K, 4\).* got shape \(2, 3\)"):
        call("paste_masks_in_image", MASKS, BOXES[:, :3], SIZE)
    for value in (np.nan, np.inf):
        with pytest.raises(ValueError, match=r"boxes must be finite; got .* in row 0"):
            call("paste_masks_in_image", MASKS, BOXES * [[value, 1, 1, 1], [1] * 4], SIZE)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"img_shape": (0, 5)}, ValueError, r"img_shape must be at least 1 along both axes"),
        ({"img_shape": (5.0, 5)}, TypeError, r"img_shape must be a whole number; got 5.0"),
        ({"padding": -1}, ValueError, r"padding must not be negative; got -1"),
        ({"padding": 0.5}, TypeError, r"padding must be a whole number; got 0.5"),
        ({"threshold": -0.1}, ValueError, r"threshold must be at least 0, .* got -0.1"),
        ({"threshold": float("nan")}, ValueError, r"threshold must be at least 0, .* got nan"),
        ({"threshold": "half"}, TypeError, r"threshold must be a number; got 'half'"),
        ({"coordinates": "exact"}, ValueError, r"coordinates must be one of 'torchvision', 'al"),
    ],
)
def test_bad_options(call, options, error, message):
    with pytest.raises(error, match=message):
        call("paste_masks_in_image", MASKS, BOXES, **{"img_shape": SIZE, **options})


def test_arrays_where_tensors_are_wanted():
    with pytest.raises(TypeError, match=r"masks must be a torch tensor; got ndarray"):
        ops.masks_to_boxes(MASKS[:, 0])
    with pytest.raises(TypeError, match=r"masks must be a torch tensor; got ndarray"):
        ops.paste_masks_in_image(MASKS, torch.tensor(BOXES), SIZE)
    with pytest.raises(TypeError, match=r"boxes must be a torch tensor; got ndarray"):
        ops.paste_masks_in_image(torch.tensor(MASKS), BOXES, SIZE)
