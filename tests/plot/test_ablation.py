"""The figure of an ablation shows every seed and the mean of each variant."""

from types import SimpleNamespace

import pytest
from matplotlib import pyplot as plt
from matplotlib.colors import to_hex

from roilearn import plot
from roilearn.palette import COLOURS


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def result(variant, stride, seed, value):
    return SimpleNamespace(variant=variant, stride=stride, seed=seed, AP50=value, AP75=value / 2)


RESULTS = [
    result(variant, stride, seed, (number + stride / 4 + seed) / 100)
    for number, variant in enumerate(
        ("RoIPool", "RoIAlign, aligned=False", "RoIAlign, aligned=True")
    )
    for stride in (4, 16)
    for seed in (0, 2)
]


def test_each_seed_is_a_dot_and_each_line_goes_through_the_means():
    other = result("something else", 4, 0, 9.0)
    first, second = plot.ap_by_stride([*RESULTS, other], ("AP50", "AP75")).axes
    assert [axes.get_title() for axes in (first, second)] == ["AP50", "AP75"]
    dots, means = first.lines[0], first.lines[1]
    assert list(dots.get_ydata()) == pytest.approx([1, 3, 4, 6])
    assert list(means.get_ydata()) == pytest.approx([2, 5])
    assert list(second.lines[1].get_ydata()) == pytest.approx([1, 2.5])
    assert to_hex(means.get_color()).upper() == COLOURS["pool"]
    assert [label.get_text() for label in first.get_xticklabels()] == ["4", "16"]
    assert len(first.lines) == 6


def test_a_stride_that_only_some_rows_have_is_drawn():
    (axes,) = plot.ap_by_stride([*RESULTS, result("RoIPool", 8, 0, 0.5)], ("AP50",)).axes
    assert [len(line.get_xdata()) for line in axes.lines[1::2]] == [3, 2, 2]


def test_seeds_are_lines_over_the_mask_losses_and_bars_are_their_means():
    rows = [result(v, 4, seed, (n + seed) / 100) for seed in (0, 2) for n, v in enumerate("ab")]
    titles = {"AP50": "one half", "AP75": "AP75"}
    first, second = plot.ap_by_mask_loss([*rows, result("c", 4, 2, 0.09)], titles).axes
    assert [axes.get_title() for axes in (first, second)] == ["one half", "AP75"]
    assert first.get_ylim()[0] == second.get_ylim()[0] == 0
    assert [list(line.get_ydata()) for line in first.lines] == [[0, 1], pytest.approx([2, 3, 9])]
    bars = [bars.get_segments()[0][0, 1] for bars in second.collections]
    assert bars == pytest.approx([0.5, 1, 4.5])
    assert [label.get_text() for label in first.get_xticklabels()] == ["a", "b", "c"]
