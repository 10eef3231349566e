"""The figure of chapter 15 shows every difference, also those of 0 and infinite ones."""

import numpy as np

from roilearn import plot


def test_every_layer_has_a_point_and_zero_has_a_place():
    differences = {"rounding": [0, 1e-6, 2e-6], "port": [0, 0.03, np.inf]}
    figure = plot.differences_by_layer(differences, 1e-4, {0: "transform", 2: "rpn"})
    (axes,) = figure.axes
    drawn = [line.get_ydata() for line in axes.lines[:2]]
    np.testing.assert_allclose(drawn, [[1e-8, 1e-6, 2e-6], [1e-8, 0.03, 10]])
    assert axes.lines[2].get_ydata()[0] == 1e-4
    assert [each.get_text() for each in axes.get_xticklabels()] == ["transform", "rpn"]
    assert [each.get_text() for each in axes.get_legend().get_texts()] == list(differences)
    assert axes.get_yscale() == "log"
