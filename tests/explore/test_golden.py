"""The numbers of each live figure in the page equal those of the NumPy reference."""

import numpy as np
import pytest

from roilearn import explore

STATES = 20


def random_map(random, low, high):
    """Return a curved map, not square as a rule: whole numbers with ties, or any numbers."""
    height, width = random.integers(low, high + 1, 2)
    values = random.normal(0, 3, (height, width)).cumsum(axis=0)
    return (values.round() if random.random() < 0.3 else values.round(3)).tolist()


def random_box(random, width, height, unit):
    """Return x1, y1, x2, y2 in multiples of ``unit``, at least one pixel long; may hang outside."""
    x1, y1 = random.integers(0, np.array([width, height]) / unit) * unit
    sides = 1 + random.integers(0, np.array([width, height]) / unit) * unit
    return [float(x1), float(y1), min(x1 + sides[0], 1024.0), min(y1 + sides[1], 1024.0)]


def interpolation_weights(random):
    values = random_map(random, 2, 8)
    x, y = random.integers(0, 161, 2) / 20
    return {"values": values, "x": x, "y": y, "show": str(random.choice(["value", "gradient"]))}


def resize_grids(random):
    signal = random.integers(0, 10, random.integers(2, 9)) + (random.random() < 0.7)
    out_size = int(random.integers(1, 13))
    selected = int(random.integers(0, 12))
    return {"signal": signal.tolist(), "out_size": out_size, "selected": selected}


def quantization(random):
    x1 = int(random.integers(0, 600))
    return {
        "edges": [x1, x1 + int(random.integers(1, 296))],
        "stride": int(random.choice([4, 8, 16, 32, 64])),
        "rule": str(random.choice(["floor", "half_away", "half_even"])),
        "end_included": bool(random.random() < 0.5),
    }


def pool_and_align(random):
    features = random_map(random, 2, 16)
    stride = int(random.choice([1, 3, 7, 16, 32]))
    unit = float(random.choice([0.25, 1, stride / 2]))
    return {
        "features": features,
        "box": random_box(random, len(features[0]) * stride, len(features) * stride, unit),
        "stride": stride,
        "output_size": random.integers(1, 5, 2).tolist(),
        "sampling_ratio": int(random.integers(-1, 5)),
        "aligned": bool(random.random() < 0.5),
        "selected": random.integers(0, 4, 2).tolist(),
        "show": str(random.choice(["values", "gradient"])),
    }


def sliding_box(random):
    features = random_map(random, 4, 12)
    stride = int(random.choice([4, 8, 16]))
    return {
        "features": features,
        "box": random_box(random, len(features[0]) * stride, len(features) * stride, 1.0),
        "stride": stride,
        "sampling_ratio": int(random.integers(1, 5)),
        "bin": random.integers(0, 2, 2).tolist(),
        "offset": float(random.integers(0, 4 * stride + 1) / 4),
    }


def bin_mean(random):
    features = random_map(random, 4, 12)
    stride = int(random.choice([4, 7, 16]))
    return {
        "features": features,
        "box": random_box(random, len(features[0]) * stride, len(features) * stride, 1.0),
        "stride": stride,
        "sampling_ratio": int(random.integers(1, 5)),
        "counted": str(random.choice(["fixed", "adaptive", "exact"])),
    }


def bag_matrix(random):
    features = random_map(random, 2, 6)
    stride = int(random.choice([3, 8, 16]))
    return {
        "features": features,
        "box": random_box(random, len(features[0]) * stride, len(features) * stride, 1.0),
        "stride": stride,
        "output_size": random.integers(1, 4, 2).tolist(),
        "sampling_ratio": int(random.integers(0, 5)),
        "bag": int(random.integers(0, 9)),
        "cell": int(random.integers(0, 36)),
        "look": str(random.choice(["bag", "cell"])),
    }


def receptive_field(random):
    return {
        "network": str(random.choice(["tiny", "resnet50"])),
        "level": int(random.integers(2, 6)),
        "cell": random.integers(0, 40, 2).tolist(),
    }


def level_of_box(random):
    side = int(random.choice([128, 800]))
    canonical = random.choice([56, 112, 224, float(random.integers(14, 897))])
    box = random_box(random, side * 1.25, side, float(random.choice([0.5, 1, 16])))
    return {
        "box": [min(edge, 1000) for edge in box],
        "side": side,
        "canonical_scale": float(canonical),
        "canonical_level": int(random.integers(2, 7)),
        "levels": np.sort(random.integers(2, 7, 2)).tolist(),
    }


def paste_mask(random):
    shape = str(random.choice(["disc", "square", "triangle"]))
    moves = random.integers(-24, 25, 4) / float(random.choice([4, 10, 1]))
    x1, y1, x2, y2 = np.clip(explore.PasteMask(shape=shape).box + moves, 0, 160)
    return {
        "shape": shape,
        "side": int(random.choice([7, 14, 28])),
        "box": [float(edge) for edge in (x1, y1, max(x2, x1 + 1), max(y2, y1 + 1))],
        "half_pixels": bool(random.random() < 0.5),
        "rounded": bool(random.random() < 0.5),
    }


FIGURES = {
    explore.InterpolationWeights: interpolation_weights,
    explore.ResizeGrids: resize_grids,
    explore.Quantization: quantization,
    explore.PoolAndAlign: pool_and_align,
    explore.SlidingBox: sliding_box,
    explore.BinMean: bin_mean,
    explore.BagMatrix: bag_matrix,
    explore.ReceptiveField: receptive_field,
    explore.LevelOfBox: level_of_box,
    explore.PasteMask: paste_mask,
}


@pytest.mark.parametrize("figure", FIGURES, ids=lambda figure: figure.__name__)
def test_opening_state_shows_the_reference(figure, open_figure, differences, wrong_read_outs):
    widget = figure()
    page = open_figure(widget)
    assert differences(page.compute(), widget.numbers()) == []
    read_outs = page.read_outs()
    assert len(read_outs) >= 10
    assert wrong_read_outs(read_outs, widget.numbers()) == []


@pytest.mark.parametrize("figure", FIGURES, ids=lambda figure: figure.__name__)
def test_random_states_show_the_reference(figure, open_figure, differences, wrong_read_outs):
    random = np.random.default_rng(7)
    page = open_figure(figure())
    for state in (FIGURES[figure](random) for _ in range(STATES)):
        numbers = figure(**state).numbers()
        assert differences(page.compute(state), numbers) == [], state
        assert wrong_read_outs(page.read_outs(), numbers) == [], state


@pytest.mark.parametrize(
    ("figure", "right", "wrong"),
    [
        (explore.InterpolationWeights, "x - 0.5", "x"),
        (explore.ResizeGrids, "(i + 0.5) * scale - 0.5", "i * scale"),
        (explore.Quantization, "half_away: halfAway", "half_away: Math.floor"),
        (explore.PoolAndAlign, "(s + 0.5) * binSize", "s * binSize"),
        (explore.PoolAndAlign, "Math.ceil((i + 1) * binSize)", "Math.floor((i + 1) * binSize)"),
        (explore.SlidingBox, "/ 2 / (stop - start)", "/ 2"),
        (explore.BinMean, "(atEdge - value)", "atEdge"),
        (explore.BagMatrix, "line[cell]", "line[bag]"),
        (explore.ReceptiveField, "(kernel - 1) * stride", "kernel * stride"),
        (explore.ReceptiveField, "/ 255) ** 2", "/ 255)"),
        (explore.LevelOfBox, "halfEven(doublings)", "Math.floor(doublings)"),
        (explore.LevelOfBox, "edges(0.5)", "edges(0)"),
        (explore.PasteMask, "(halfPixels ? 0 : 0.5)", "0"),
        (explore.PasteMask, "Math.trunc(edge) + (n < 2 ? 0 : 1)", "Math.trunc(edge)"),
        (explore.PasteMask, "> THRESHOLD", ">= 0.6"),
        (explore.PasteMask, "((x2 - x1) * PADDING) / side", "0"),
    ],
    ids=[
        "no half cell",
        "corner rule",
        "floor",
        "samples at edges",
        "partition",
        "no mean",
        "slope",
        "column of another cell",
        "one cell more for each kernel",
        "roots taken for amounts",
        "floor for round",
        "edges of the other rule",
        "half pixels always",
        "no pixel added",
        "another threshold",
        "a ring inside the box",
    ],
)
def test_a_wrong_module_would_be_noticed(figure, right, wrong, open_figure, differences):
    assert right in figure._esm
    page = open_figure(figure(), change=lambda text: text.replace(right, wrong))
    assert differences(page.compute(), figure().numbers()) != []
