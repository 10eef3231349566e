"""The roofline draws rates under measured roofs, and says so where nothing has been measured."""

from types import SimpleNamespace

import pytest
from matplotlib import pyplot as plt

from roilearn import plot

NOT_RUN = "counted, not timed"


def point(name, rate=None):
    return SimpleNamespace(
        name=name,
        min_intensity=0.1 if name == "first" else 0.5,
        max_intensity=2.0,
        flop_rate=rate,
    )


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def words(figure):
    return [text.get_text() for text in figure.axes[0].texts]


def test_without_rates_each_bar_stands_by_its_name_and_the_picture_says_so():
    figure = plot.roofline([point("first"), point("second")])
    (axes,) = figure.axes
    assert [label.get_text() for label in axes.get_yticklabels()] == ["first", "second"]
    bars = [list(line.get_xdata()) for line in axes.lines if len(line.get_xdata()) == 2]
    assert bars == [[0.1, 2.0], [0.5, 2.0]]
    assert words(figure) == [NOT_RUN]
    low, high = axes.get_xlim()
    assert low < 0.1
    assert high > 2


def test_rates_without_roofs_are_not_drawn():
    assert NOT_RUN in words(plot.roofline([point("first", 1e9)]))


def test_with_rates_the_roofs_meet_where_copying_and_multiplying_take_as_long():
    figure = plot.roofline([point("first", 5e9), point("second")], roofs=(100e9, 1000e9))
    (axes,) = figure.axes
    assert words(figure) == []
    names = [text.get_text() for text in axes.get_legend().get_texts()]
    assert names == ["copying", "multiplying", "first"]
    slope, ceiling = axes.lines[:2]
    assert slope.get_xdata()[1] == ceiling.get_xdata()[0] == pytest.approx(10)
    assert slope.get_ydata()[1] == ceiling.get_ydata()[0] == pytest.approx(1000)
    x, y = slope.get_xdata()[0], slope.get_ydata()[0]
    assert y == pytest.approx(100 * x)
    assert [list(line.get_ydata()) for line in axes.lines[2:]] == [[5, 5], [5], [5]]


def test_the_roof_of_a_data_sheet_stands_over_the_lines_and_says_that_it_is_not_measured():
    figure = plot.roofline([point("first"), point("second")], sheet=("X", 100e9, 1000e9))
    above, below = figure.axes
    assert above.get_title() == "roof from the data sheet of X, not measured"
    roof, *dots = above.lines
    assert list(roof.get_xdata()[1:2]) == [pytest.approx(10)]
    assert list(roof.get_ydata()[1:]) == [pytest.approx(1000)] * 2
    assert roof.get_ydata()[0] == pytest.approx(100 * roof.get_xdata()[0])
    assert [dot.get_xdata()[0] for dot in dots] == [0.1, 0.5]
    assert [dot.get_ydata()[0] for dot in dots] == [pytest.approx(10), pytest.approx(50)]
    assert [label.get_text() for label in below.get_yticklabels()] == ["first", "second"]
    assert above.get_xlim() == below.get_xlim()


def test_a_roof_that_was_measured_is_drawn_and_not_the_data_sheet_s():
    points = [point("first", 5e9)]
    figure = plot.roofline(points, roofs=(100e9, 1000e9), sheet=("X", 1.0, 1.0))
    assert len(figure.axes) == 1
