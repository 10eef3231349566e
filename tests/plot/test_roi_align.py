"""Figures of chapter 4 show the operator's own numbers."""

import numpy as np
import pytest
from matplotlib import pyplot as plt

from roilearn import plot


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def points(axes):
    """Every marked point of a panel, in the order drawn."""
    return np.concatenate([part.get_offsets() for part in axes.collections])


def test_arrows_end_in_the_own_cell_and_half_a_cell_further():
    figure = plot.aligned_offset((2.0, 6.0), bins=4)
    arrows = [note for note in figure.axes[0].texts if getattr(note, "arrow_patch", None)]
    ends = [note.xy[0] for note in arrows]
    assert ends[::2] == [2.5, 3.5, 4.5, 5.5]
    assert ends[1::2] == [3.0, 4.0, 5.0, 6.0]


def test_samples_stand_at_odd_parts_of_the_bin():
    figure = plot.samples_in_a_bin((1, 2))
    assert points(figure.axes[0]).tolist() == [[0.5, 0.5]]
    assert sorted({x for x, _ in points(figure.axes[1])}) == [0.25, 0.75]


def test_the_band_ends_at_minus_one_and_at_the_size():
    figure = plot.value_outside_map(6)
    (line,) = figure.axes[0].lines
    x, counted = line.get_data()
    assert (x[counted == 1].min(), x[counted == 1].max()) == pytest.approx((-1, 6))


def test_cells_that_nothing_reads_stay_white():
    weight = np.zeros((3, 4))
    weight[1, 2] = 0.5
    figure = plot.cell_weights({"one": weight, "two": weight}, (0, 0, 4, 3), (1, 1))
    (picture,) = figure.axes[0].images
    np.testing.assert_array_equal(np.ma.getmaskarray(picture.get_array()), weight == 0)


def test_thirds_and_quarters_have_one_mean_on_a_ramp_and_two_on_squares():
    figure = plot.thirds_on_two_maps({"ramp": np.arange(8), "squares": np.arange(8) ** 2}, (1, 6))
    means = [
        [
            np.mean(group.get_offsets()[:, 1])
            for group in axes.collections
            if len(group.get_offsets()) == 2
        ]
        for axes in figure.axes
    ]
    assert means[0][0] == pytest.approx(means[0][1])
    assert abs(means[1][0] - means[1][1]) > 0.5


def test_the_tangent_has_the_slope_it_is_given():
    figure = plot.edge_slope([0, 1, 2], [0, 3, 6], at=1.0, slope=3.0)
    x, y = figure.axes[0].lines[1].get_data()
    assert (y[1] - y[0]) / (x[1] - x[0]) == pytest.approx(3)


def test_crops_stand_beside_the_photograph_under_their_titles():
    figure = plot.crops_of_operators(np.zeros((8, 9)), (1, 1, 4, 4), {"one": np.ones((2, 2))})
    assert [axes.get_title() for axes in figure.axes] == ["photograph", "one"]


def test_lines_carry_their_labels():
    errors = {name: [0.1, 0.2] for name in ("a", "b", "c", "d")}
    figure = plot.error_by_shift([0, 16], errors, stride=16)
    assert [line.get_label() for line in figure.axes[0].lines[:4]] == list("abcd")
    figure = plot.growing_box([1, 2], {"adaptive": [0, 1], "fixed": [0, 2]}, [2])
    assert [line.get_label() for line in figure.axes[0].lines[:2]] == ["adaptive", "fixed"]
