"""Figures of the benchmarks show the recorded numbers, each implementation in its own colour."""

from types import SimpleNamespace

import pytest
from matplotlib import pyplot as plt
from matplotlib.colors import to_hex

from roilearn import plot
from roilearn.palette import COLOURS

OURS, CHANNELS_LAST = "roilearn", "roilearn, channels last"


def row(implementation, ratio=2.0, value=3.0, **others):
    names = {"operator": "roi_align", "workload": "A", "direction": "forward", "series": "memory"}
    return SimpleNamespace(
        **(
            names
            | {"implementation": implementation, "ratio": ratio, "value": value, "x": 1.0}
            | others
        )
    )


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def lengths(axes):
    return [bar.get_width() for bar in axes.patches]


def test_bars_are_as_long_as_ratios_and_peers_have_none():
    rows = [row("torchvision", 1.0), row(OURS, 4.0), row(CHANNELS_LAST, 8.0), row("onnxruntime")]
    other = row(OURS, 9.0, operator="roi_pool")
    (axes,) = plot.speedups([*rows, other], "roi_align").axes
    assert lengths(axes) == [4.0, 8.0]
    assert to_hex(axes.patches[0].get_facecolor()).upper() == COLOURS["align"]
    low, high = axes.get_xlim()
    assert low < 1
    assert high > 8


def test_each_direction_has_a_panel_and_each_workload_its_place():
    rows = [row(OURS), row(OURS, workload="B"), row(OURS, 3.0, direction="forward + backward")]
    panels = plot.speedups(rows, "roi_align").axes
    assert [axes.get_title() for axes in panels] == ["forward", "forward + backward"]
    assert [label.get_text() for label in panels[0].get_yticklabels()] == ["A", "B"]
    assert [len(lengths(axes)) for axes in panels] == [2, 1]


def test_growth_draws_a_line_for_each_implementation_with_units():
    values = {16.0: 1.0, 64.0: 5.0}
    points = [
        row(n, value=v, x=x, series="boxes")
        for n in (OURS, "torchvision")
        for x, v in values.items()
    ]
    axes = plot.cost_curves([*points, row(OURS)], "roi_align").axes[0]
    assert [list(line.get_ydata()) for line in axes.lines] == [[1.0, 5.0]] * 2
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("boxes", "ms")


def test_memory_is_in_mebibytes_and_the_floor_in_per_cent():
    (axes,) = plot.peak_memory([row(OURS, value=40.0), row(OURS, series="floor")]).axes
    assert lengths(axes) == [40.0]
    assert "MiB" in axes.get_xlabel()
    points = [row(OURS, 0.25, series="floor"), row("byte floor", 1.0, series="floor")]
    (axes,) = plot.byte_floor_reached(points).axes
    assert lengths(axes) == [25.0]
    assert "per cent" in axes.get_xlabel()
