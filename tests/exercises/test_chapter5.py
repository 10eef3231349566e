"""The answers of chapter 5 are right by another road: quadrature, small differences, the kernel."""

import numpy as np
import pytest

from roilearn import exercises, reference
from roilearn.exercises import chapter5
from roilearn.exercises.operators.prroi_pool import PRROI_POOL, prroi_pool

torch = pytest.importorskip("torch")
torchvision = pytest.importorskip("torchvision")

HAND = np.array([0.0, 8, 4, 2, 0])


def fine_mean(values, start, stop):
    """Mean of the row by a hundred thousand readings; start and stop in cells."""
    x = start + (np.arange(100_000) + 0.5) * (stop - start) / 100_000
    return np.interp(x - 0.5, np.arange(len(values)), values).mean()


def test_by_hand_is_what_very_many_readings_say():
    assert chapter5.BY_HAND.answer == pytest.approx(fine_mean(HAND, 1, 3), abs=1e-6)


def test_six_is_the_answer_of_one_sample_of_two_and_of_the_cells():
    said = next(m.answer for m in chapter5.BY_HAND.mistakes if m.name == "samples")
    rows, box = torch.from_numpy(HAND).expand(1, 1, 4, 5), torch.tensor([[0, 1.0, 1, 3, 3]])
    for ratio in (1, 2):
        value = torchvision.ops.roi_align(rows, box.double(), 1, 1.0, ratio, True)
        assert value.item() == pytest.approx(said)
    assert HAND[1:3].mean() == said


def test_the_slope_by_hand_is_that_of_small_differences_at_stride_4():
    step = 1e-3
    wider, narrower = (fine_mean(HAND, 1, (12 + by) / 4) for by in (step, -step))
    slope = (wider - narrower) / (2 * step)
    assert chapter5.EDGE_BY_HAND.answer == pytest.approx(slope, abs=1e-4)


@pytest.mark.parametrize("arguments", chapter5.IN_CODE.calls)
def test_the_exact_mean_is_what_very_many_readings_say(arguments):
    values, x1, x2, scale = arguments
    assert 0.5 <= x1 * scale < x2 * scale <= len(values) - 0.5  # no border in this exercise
    wanted = fine_mean(values, x1 * scale, x2 * scale)
    assert chapter5.exact_mean(*arguments) == pytest.approx(wanted, abs=1e-6)


@pytest.mark.parametrize(("features", "box", "size", "scale"), PRROI_POOL.calls)
def test_the_exact_means_are_those_of_very_many_samples(features, box, size, scale):
    rois = torch.tensor([[0, *box]], dtype=torch.float64)
    fine = torchvision.ops.roi_align(torch.from_numpy(features)[None], rois, size, scale, 200, True)
    assert prroi_pool(features, box, size, scale) == pytest.approx(fine[0].numpy(), abs=2e-3)


def test_trapezoids_between_the_centres_pass():
    def trapezoids(values, x1, x2, spatial_scale):
        start, stop = x1 * spatial_scale - 0.5, x2 * spatial_scale - 0.5
        cuts = [start, *np.arange(np.floor(start) + 1, stop), stop]
        read = np.interp(cuts, np.arange(len(values)), values)
        return np.trapezoid(read, cuts) / (stop - start)

    assert exercises.check("5.3", trapezoids)


def test_the_points_are_those_that_a_ruler_reads():
    ruler = np.broadcast_to(np.arange(12) + 0.5, (1, 1, 6, 12))
    box = np.array([[0.0, 3, 2, 11, 4]])
    read = reference.crop_and_resize(ruler, box, (1, 5), aligned=True)[0, 0, 0]
    assert read == pytest.approx(chapter5.CORNERS.answer)


@pytest.mark.parametrize("arguments", chapter5.CHANNEL.calls)
def test_the_channel_is_the_one_that_torchvision_reads(arguments):
    c, i, j, bins, channels = arguments
    number = torch.arange(float(channels * bins * bins)).reshape(1, -1, 1, 1).expand(1, -1, 9, 9)
    box = torch.tensor([[0.0, 1, 1, 8, 8]])
    read = torchvision.ops.ps_roi_align(number.contiguous(), box, bins, 1.0, 1)
    assert read[0, c, i, j].item() == chapter5.channel_of_bin(*arguments)


@pytest.mark.parametrize(("across", "down", "angle"), chapter5.TURN.calls)
def test_the_turned_offset_is_where_the_rotated_operator_reads(across, down, angle):
    roi = np.array([0.0, 5, 5, 4, 3, angle])
    row, column = reference.rotate_sample(roi, 1.0, down=down, across=across)
    right, downwards = chapter5.turned_offset(across, down, angle)
    assert (column + 0.5 - 5, row + 0.5 - 5) == pytest.approx((right, downwards))
