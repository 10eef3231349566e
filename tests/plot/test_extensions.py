"""Figures of the page on ideas that plug in."""

from types import SimpleNamespace

import pytest
from matplotlib import pyplot as plt

from roilearn import plot
from roilearn.palette import COLOURS


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def row(variant, seed, metric, value):
    return SimpleNamespace(variant=variant, seed=seed, metric=metric, value=value)


ROWS = [
    row(variant, seed, metric, value + seed + 10 * (metric == "B"))
    for variant, value in (("first", 1.0), ("second", 3.0))
    for seed in (0, 2)
    for metric in ("A", "B", "other")
]


def test_each_seed_is_a_line_over_the_variants_and_a_bar_is_their_mean():
    left, right = plot.effects(ROWS, {"A": "one", "B": "two"}, {"B": 100}).axes
    assert [axes.get_xlabel() for axes in (left, right)] == ["one", "two"]
    assert [list(line.get_xdata()) for line in left.lines] == [[1, 3], [3, 5]]
    assert list(right.lines[0].get_xdata()) == [1100, 1300]
    bars = [bar.get_segments()[0][0, 0] for bar in left.collections]
    assert bars == [2, 4]
    assert left.get_xlim()[0] == 0
    assert left.get_ylim() == (1.5, -0.5)
    assert [label.get_text() for label in left.get_yticklabels()] == ["first", "second"]


def test_a_variant_without_a_metric_has_no_dot_there():
    rows = [*ROWS, row("third", 0, "A", 9.0)]
    left, right = plot.effects(rows, {"A": "one", "B": "two"}).axes
    assert list(left.lines[0].get_xdata()) == [1, 3, 9]
    assert list(right.lines[0].get_xdata()) == [11, 13]
    assert len(right.collections) == 2


def test_stages_with_an_idea_are_filled_and_named():
    (axes,) = plot.plug_points({"heads": "a cascade", "data": "your own"}).axes
    faces = [patch.get_facecolor()[:3] for patch in axes.patches if hasattr(patch, "get_boxstyle")]
    texts = {text.get_text() for text in axes.texts}
    assert {"heads", "data", "pyramid", "a cascade", "your own"} <= texts
    from matplotlib.colors import to_rgb  # noqa: PLC0415

    assert sum(face == to_rgb(COLOURS["align"]) for face in faces) == 2


def test_an_unknown_stage_is_refused():
    with pytest.raises(ValueError, match="ideas must name stages"):
        plot.plug_points({"neck": "something"})
