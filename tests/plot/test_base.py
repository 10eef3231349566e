"""A map is drawn with its pixel centres at +0.5; a photograph's feature map averages squares."""

import numpy as np
import pytest
from matplotlib import pyplot as plt

from roilearn import plot
from roilearn.palette import COLOURS


@pytest.fixture
def axes():
    figure, axes = plot.new_figure()
    yield axes
    plt.close(figure)


def test_values_stand_at_the_centres_of_their_cells_y_downwards(axes):
    plot.draw_map(axes, [[1, 2, 3], [4, 5, 6]])
    places = {text.get_text(): text.get_position() for text in axes.texts}
    assert places["1"] == (0.5, 0.5)
    assert places["6"] == (2.5, 1.5)
    assert axes.get_xlim() == (0, 3)
    assert axes.get_ylim() == (2, 0)


def test_a_box_has_the_colour_of_what_it_stands_for(axes):
    plot.draw_box(axes, (1, 2, 4, 3), kind="pool")
    (outline,) = axes.patches
    assert outline.get_bbox().extents.tolist() == [1, 2, 4, 3]
    assert np.allclose(
        outline.get_edgecolor()[:3], [int(COLOURS["pool"][i : i + 2], 16) / 255 for i in (1, 3, 5)]
    )


def test_points_are_drawn_where_they_are(axes):
    plot.draw_points(axes, [0.5, 1.5], [2.5, 3.5])
    assert axes.collections[0].get_offsets().tolist() == [[0.5, 2.5], [1.5, 3.5]]


def test_a_cell_is_the_mean_of_its_square_and_the_rest_is_left_out():
    image = np.random.RandomState(0).rand(35, 50, 3)
    features = plot.feature_map(image, 16)
    assert features.shape == (1, 3, 2, 3)
    assert features[0, 0, 1, 2] == pytest.approx(image[16:32, 32:48].mean())


def test_changes_to_the_right_and_downwards_have_a_channel_each():
    stripes = np.tile([0.0, 1.0], (32, 16))
    brightness, across, down = plot.feature_map(stripes, 16)[0]
    assert np.allclose(brightness, 0.5)
    assert across.min() > 0.9
    assert np.all(down == 0)


def test_the_photographs_need_no_download():
    for name in ("astronaut", "chelsea", "coffee", "rocket"):
        photo = plot.photograph(name)
        assert photo.ndim == 3
        assert 0 <= photo.min() < photo.max() <= 1
