"""Figures of errors show the masks, the repairs and the ranges that they are given."""

from types import SimpleNamespace

import numpy as np
import pytest
from matplotlib import pyplot as plt
from matplotlib.colors import to_hex

from roilearn import plot
from roilearn.palette import CLASSES, COLOURS

IMAGE = np.full((30, 40, 3), (0.2, 0.5, 0.8))
MASK = np.zeros((30, 40), bool)
MASK[10:20, 8:20] = True


@pytest.fixture(autouse=True)
def close():
    yield
    plt.close("all")


def test_an_example_is_shown_with_its_surroundings_in_the_colour_of_its_class():
    one = {"image": IMAGE, "mask": np.roll(MASK, 2, 1), "label": 2, "objects": MASK[None]}
    nothing = one | {"mask": None}
    first, second = plot.error_examples({"a": one, "b": nothing}).axes
    assert (first.get_title(), second.get_title()) == ("a", "b")
    lines = [drawn for drawn in first.collections if len(drawn.get_edgecolor())]
    colours = [to_hex(drawn.get_edgecolor()[0]) for drawn in lines]
    assert CLASSES[1].lower() in colours
    assert len(second.collections) == 1
    x, y = second.get_xlim(), second.get_ylim()
    assert (x, y) == ((0, 30), (30, 0))  # around the mask, within the picture; y goes down
    shades = np.asarray(first.images[0].get_array())
    assert np.ptp(shades, -1).max() == 0  # the scene is grey
    (outline,) = second.collections
    corners = outline.get_paths()[0].get_extents()
    assert (corners.x0, corners.x1, corners.y0, corners.y1) == pytest.approx((8, 20, 10, 20))


def test_four_examples_stand_in_two_rows_and_no_empty_panel_is_seen():
    one = {"image": IMAGE, "mask": MASK, "label": 1, "objects": MASK[None]}
    axes = plot.error_examples({str(n): one for n in range(4)}).axes
    assert len(axes) == 6
    assert [panel.axison for panel in axes[4:]] == [False, False]


def test_a_bar_reaches_from_the_ap_to_the_ap_without_the_kind():
    rows = [
        SimpleNamespace(aligned=a, metric=m, kind=k, mask_ap=value + (a == "True") / 10)
        for a in ("True", "False")
        for m in ("AP50", "AP75")
        for k, value in {"right": 0.5, "misplaced": 0.8, "missed": 0.6}.items()
    ]
    figure = plot.ap_without_errors(rows, ("misplaced", "missed"), {"True": "x", "False": "y"})
    first, *_, last = figure.axes
    assert len(figure.axes) == 4
    assert [first.get_title(), last.get_title()] == ["AP50 0.600, x", "AP75 0.500, y"]
    bars = [(bar.get_x(), bar.get_width()) for bar in last.patches]
    assert bars == [(0.5, pytest.approx(0.3)), (0.5, pytest.approx(0.1))]
    assert [text.get_text() for text in last.texts] == ["+0.300", "+0.100"]


def test_a_line_for_each_reading_goes_over_the_ranges_of_size():
    rows = [
        SimpleNamespace(aligned=a, smallest=s, largest=s + 8, AP75=s / 100 + (a == "True") / 2)
        for a in ("True", "False")
        for s in (8, 16)
    ]
    (axes,) = plot.ap_by_size(rows, ("AP75",)).axes
    assert [list(line.get_ydata()) for line in axes.lines] == [[0.58, 0.66], [0.08, 0.16]]
    assert to_hex(axes.lines[0].get_color()).upper() == COLOURS["align"]
    assert axes.get_xticklabels()[0].get_text() == "8\N{EN DASH}16"


def test_paired_differences_are_dots_and_bars_are_their_means():
    gains = {"stride 4": {"AP": [0.01, 0.03], "AP50": [-0.02, 0.0]}, "stride 8": {"AP": [0.05]}}
    first, second = plot.paired_gains(gains).axes
    dots, bar, *_ = first.collections
    assert [y for _, y in dots.get_offsets()] == pytest.approx([1, 3])
    assert bar.get_segments()[0][0, 1] == pytest.approx(2)
    assert {to_hex(colour).upper() for colour in dots.get_facecolor()} == {COLOURS["align"]}
    below, on = (to_hex(colour) for colour in first.collections[2].get_facecolor())
    assert (below.upper(), on) == (COLOURS["loss"], "#808080")
    assert [label.get_text() for label in first.get_xticklabels()] == ["AP", "AP50"]
    assert second.get_title() == "stride 8"
    assert len(second.collections) == 2
