"""The three kernels of the book's page on GPUs: near the reference, and equal to the last bit."""

import numpy as np
import pytest
import torch
from boxes import KINDS, draw
from numpy.testing import assert_allclose

from roilearn import bench, kernels, reference
from roilearn.bench.gpu import kernel_steps
from roilearn.kernels import launch, steps

CURVED = np.random.RandomState(0).randn(2, 3, 5, 7).astype(np.float32)
STEPS = ((steps.one_number, 1, 1), (steps.one_bin, 1, 2), (steps.several_bins, 2, 2))
"""Blocks smaller than three channels and three bins: each step has an incomplete program."""
SETTINGS = [(0, ((3, 1), 0.25, 2, True)), (1, ((1, 2), 1.0, 1, False))]


def on(device, array):
    return torch.tensor(array, device=device, dtype=torch.float32)


@pytest.mark.parametrize(("half", "setting"), SETTINGS)
def test_every_step_agrees_with_the_reference_on_boxes_of_every_kind(device, half, setting):
    rois = [draw(kind, 1, CURVED.shape, setting[1]) for kind in list(KINDS)[half::2]]
    rois = np.concatenate(rois)
    wanted = reference.roi_align(CURVED.astype(float), rois.astype(float), *setting)
    answers = [
        steps.run_step(*step, on(device, CURVED), on(device, rois), *setting).cpu()
        for step in STEPS
    ]
    assert_allclose(answers[0], wanted, atol=2e-5)
    assert all(torch.equal(answers[0], other) for other in answers[1:])


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_the_last_step_gives_the_bits_of_roi_align_in_the_layout_of_its_input(device, layout):
    rois, options = draw("inside", 2, CURVED.shape), ((1, 3), 1.0, 2, True)
    features = on(device, CURVED).to(memory_format=layout)
    ours = steps.run_step(steps.several_bins, 2, 2, features, on(device, rois), *options)
    assert ours.is_contiguous(memory_format=layout)
    assert torch.equal(ours, kernels.roi_align(features, on(device, rois), *options))


def test_no_boxes_give_no_rows(device):
    for step in STEPS:
        none = steps.run_step(*step, on(device, CURVED), torch.zeros(0, 5, device=device), 2)
        assert none.shape == (0, 3, 2, 2)


def test_a_bad_row_gives_zeros_if_values_are_not_checked(device):
    """On a GPU values are not looked at: the launch alone, as there."""
    features = on(device, CURVED)
    rois = on(device, draw("inside", 3, CURVED.shape))
    bad = rois.clone()
    bad[1, 0], bad[2, 3] = 2, torch.nan
    for step in STEPS:
        output = steps.launch_step(*step, features, bad, (1, 1), 1.0, 2, aligned=True)
        assert not output[1:].any()
        assert torch.equal(output[0], steps.run_step(*step, features, rois[:1], 1)[0])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"sampling_ratio": 0}, "sampling_ratio must be from 1 to 32 here; got 0"),
        ({"sampling_ratio": 33}, "sampling_ratio must be from 1 to 32 here; got 33"),
        ({"features": torch.zeros(1, 1, 3, 3).double()}, "features must be float32 here"),
        ({"features": torch.zeros(1, 3, 3)}, "4 dimensions"),
        ({"output_size": 0}, "output_size"),
    ],
)
def test_a_bad_argument_is_named(change, words):
    call = {"features": torch.zeros(1, 1, 3, 3), "boxes": torch.zeros(1, 5), "output_size": 1}
    with pytest.raises(ValueError, match=words):
        steps.run_step(*STEPS[0], **(call | change))


def test_every_implementation_that_is_measured_computes_the_same(device):
    shape = bench.PoolingWorkload("tiny", (1, 3, 9, 12), 2, (2, 6), 1, 2, "for tests")
    inputs = [on(device, array) for array in bench.make_inputs(shape)]
    first, *others = [call() for call in kernel_steps.make_calls(*inputs, shape).values()]
    assert len(others) == len(bench.STEPS)
    for step, other in zip(bench.STEPS, others, strict=True):
        torch.testing.assert_close(other, first, rtol=1e-5, atol=1e-5)
        if step.channels_last:
            assert other.stride(1) == 1


def test_bytes_are_counted_for_the_block_sizes_that_are_launched():
    for shape in kernel_steps.MEASURED:
        for step in (step for step in bench.STEPS if step.kernel == "roi_align_forward"):
            layout = torch.channels_last if step.channels_last else torch.contiguous_format
            features = torch.zeros(1, shape.features[1], 2, 3).to(memory_format=layout)
            last, blocks = launch.block_sizes([features], shape.output_size**2, shape.features[1])
            assert (last, *blocks) == (step.channels_last, step.bins, step.channels)
