"""The answers of chapter 4 are right by another road: the kernel, or small differences."""

import numpy as np
import pytest

from roilearn import exercises
from roilearn.exercises import chapter4
from roilearn.exercises.operators.roi_align import ROI_ALIGN, roi_align
from roilearn.reference.pooling.roi_align import box_samples

torch = pytest.importorskip("torch")
torchvision = pytest.importorskip("torchvision")


def kernel(values, x1, x2, spatial_scale, bins, samples, *, aligned=True):
    """Bins of a row, by torchvision on a map of equal rows with the box well inside them."""
    rows = torch.from_numpy(np.asarray(values, dtype=float)).expand(1, 1, 12, -1).contiguous()
    box = torch.tensor([[0, x1, 4 / spatial_scale, x2, 8 / spatial_scale]], dtype=torch.float64)
    output = torchvision.ops.roi_align(rows, box, (1, bins), spatial_scale, samples, aligned)
    return output.flatten().numpy()


SQUARES = np.arange(8.0) ** 2


def test_by_hand_is_what_the_kernel_says():
    assert kernel(SQUARES, 2.0, 5.0, 1.0, 1, 2) == pytest.approx([chapter4.BY_HAND.answer])


@pytest.mark.parametrize(("name", "options"), [("no -0.5", {"aligned": False}), ("one sample", {})])
def test_two_of_its_mistakes_are_answers_of_the_kernel_to_other_calls(name, options):
    (mistake,) = (m for m in chapter4.BY_HAND.mistakes if m.name == name)
    samples = 1 if name == "one sample" else 2
    assert kernel(SQUARES, 2.0, 5.0, 1.0, 1, samples, **options) == pytest.approx([mistake.answer])


def test_half_a_cell_in_pixels_is_how_far_the_kernel_misses_on_a_ruler():
    ruler = (np.arange(20) + 0.5) * 16
    with_half, without = (
        kernel(ruler, 64.0, 192.0, 1 / 16, 1, 2, aligned=aligned) for aligned in (True, False)
    )
    assert without - with_half == pytest.approx([chapter4.HALF_IN_PIXELS.answer])


def test_samples_are_as_many_as_the_loop_visits():
    roi = np.array([0, 40.0, 24.0, 180.0, 304.0])
    rows, columns = box_samples(roi, (7, 7), 1 / 16, -1, True)
    assert sum(map(len, rows)) * sum(map(len, columns)) == chapter4.SAMPLES.answer


@pytest.mark.parametrize("arguments", chapter4.ONE_AXIS.calls)
def test_one_axis_is_the_kernel_on_a_map_of_equal_rows(arguments):
    np.testing.assert_allclose(chapter4.roi_align_1d(*arguments), kernel(*arguments), rtol=1e-12)


SMOOTH = [
    call for name, calls in chapter4.EDGE.groups.items() if "centre" not in name for call in calls
]


@pytest.mark.parametrize("arguments", SMOOTH)
def test_the_edge_s_slope_is_that_of_small_differences(arguments):
    values, x1, x2, scale, samples = arguments
    step = 1e-5
    high, low = (kernel(values, x1 + d, x2, scale, 1, samples) for d in (step, -step))
    slope = (high - low) / (2 * step)
    assert slope == pytest.approx([chapter4.left_edge_gradient(*arguments)], rel=1e-6)


@pytest.mark.parametrize(("features", "box", "size", "scale", "ratio"), ROI_ALIGN.calls)
def test_the_whole_operator_is_torchvision_s(features, box, size, scale, ratio):
    rois = torch.tensor([[0, *box]], dtype=torch.float64)
    output = torchvision.ops.roi_align(
        torch.from_numpy(features)[None], rois, size, scale, ratio, True
    )
    assert roi_align(features, box, size, scale, ratio) == pytest.approx(output[0].numpy())


def test_a_vectorised_answer_passes():
    def vectorised(values, x1, x2, spatial_scale, bins, samples):
        parts = (np.arange(bins * samples) + 0.5) / (bins * samples)
        p = x1 * spatial_scale - 0.5 + parts * (x2 - x1) * spatial_scale
        read = np.interp(p, np.arange(len(values)), values)
        read[(p < -1) | (p > len(values))] = 0
        return read.reshape(bins, samples).mean(axis=1)

    assert exercises.check("4.4", vectorised)


def test_an_unknown_mistake_is_not_taken_for_a_known_one():
    verdict = exercises.check("4.4", lambda *arguments: 1.01 * chapter4.roi_align_1d(*arguments))
    assert not verdict
    assert verdict.mistake is None
