"""The numbers of each live figure in the page equal those of the NumPy reference."""

import numpy as np
import pytest

from roilearn import explore
from roilearn.explore.scene import HEIGHT, OBJECTS, WIDTH

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


def anchors_at_point(random):
    unit = float(random.choice([0.5, 1, 4]))
    x1, y1, x2, y2 = random_box(random, 60, 60, unit)
    return {
        "box": [x1 + 4, y1 + 36, x2 + 4, y2 + 36],
        "stride": int(random.choice([4, 8, 16])),
        "size": int(random.choice([12, 18, 24, 30, 36])),
        "offset": float(random.choice([0, 0.5])),
        "rounded": bool(random.random() < 0.5),
    }


def nms_steps(random):
    """Return boxes of a few objects, moved about; whole scores have ties, few thresholds do."""
    middles = random.integers(30, 100, (2, 2))[random.integers(0, 2, 6)]
    middles = middles + random.integers(-12, 13, (6, 2))
    halves = random.integers(10, 28, (6, 2))
    return {
        "boxes": np.hstack([middles - halves, middles + halves]).clip(0, 128).tolist(),
        "scores": (random.integers(0, 11, 6) / 10).tolist(),
        "classes": random.choice(["disc", "square", "triangle"], 6, p=[0.6, 0.3, 0.1]).tolist(),
        "iou_threshold": float(random.integers(2, 19) / 20),
        "class_wise": bool(random.random() < 0.5),
        "step": int(random.integers(0, 7)),
        "chosen": str(random.choice(list("ABCDEF"))),
    }


def detection_targets(random):
    unit = float(random.choice([0.25, 0.1, 1]))
    box = OBJECTS[random.integers(len(OBJECTS))]["box"]
    moved = box + random.integers(-6, 7, 4) * (unit if random.random() < 0.8 else 10)
    x1, y1, x2, y2 = np.clip(moved, 0, [WIDTH - 1, HEIGHT - 1, WIDTH, HEIGHT]).tolist()
    return {
        "box": [x1, y1, max(x2, x1 + 1), max(y2, y1 + 1)],
        "thresholds": np.sort(random.integers(1, 21, 2) / 20).tolist(),
        "mask_size": int(random.choice([7, 14, 28])),
        "thresholded": bool(random.random() < 0.5),
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


def average_precision(random):
    """Return scores that are often equal, so that the order of equal scores matters."""
    return {
        "scores": (random.integers(0, 9, 12) / 8).tolist(),
        "iou_threshold": float(random.integers(10, 20) / 20),
        "ties": str(random.choice(["listed", "reversed", "best", "worst"])),
        "chosen": str(random.choice(list("ABCDEFGHIJKL"))),
    }


def error_kinds(random):
    """Return boxes about the objects, of their class or another; whole scores have ties."""
    objects = [OBJECTS[n] for n in random.integers(0, 3, 5)]
    sides = np.array([one["box"] for one in objects]) + random.integers(-5, 6, (5, 4))
    moved = sides + random.integers(0, 2, (5, 1)) * random.integers(-20, 21, (5, 4)) / 2
    x1, y1, x2, y2 = np.clip(moved, 0, [WIDTH - 2, HEIGHT - 2, WIDTH, HEIGHT]).T
    boxes = np.stack([x1, y1, np.maximum(x2, x1 + 1), np.maximum(y2, y1 + 1)], 1)
    other = random.choice(["disc", "square", "triangle"], 5).tolist()
    own = random.random(5) < 0.7
    return {
        "boxes": boxes.tolist(),
        "scores": (random.integers(0, 6, 5) / 5).tolist(),
        "classes": [one["name"] if o else c for one, o, c in zip(objects, own, other, strict=True)],
        "threshold": float(random.choice([0.5, 0.75])),
        "chosen": str(random.choice(list("ABCDE"))),
    }


def layer_differences(random):
    return {
        "port": str(random.choice(list("ABCDEFG"))),
        "stage": int(random.integers(0, 14)),
        "revealed": bool(random.random() < 0.5),
    }


def loss_curves(random):
    return {
        "patient": str(random.choice(list("ABCDEF"))),
        "point": int(random.integers(0, 29)),
        "told": bool(random.random() < 0.5),
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
    explore.AnchorsAtPoint: anchors_at_point,
    explore.NmsSteps: nms_steps,
    explore.DetectionTargets: detection_targets,
    explore.PasteMask: paste_mask,
    explore.AveragePrecision: average_precision,
    explore.ErrorKinds: error_kinds,
    explore.LayerDifferences: layer_differences,
    explore.LossCurves: loss_curves,
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
        (explore.AnchorsAtPoint, "(column + offset)", "column"),
        (explore.AnchorsAtPoint, "size / Math.sqrt(ratio), size", "size * Math.sqrt(ratio), size"),
        (explore.AnchorsAtPoint, "Math.log(to.width", "Math.log2(to.width"),
        (explore.AnchorsAtPoint, "iou > 0 && iou === highest", "iou > 1"),
        (explore.NmsSteps, "if (decided[best]) continue;", ""),
        (explore.NmsSteps, "!class_wise || classes[i] === classes[j]", "true"),
        (explore.NmsSteps, "scores[j] - scores[i]", "scores[i] - scores[j]"),
        (explore.DetectionTargets, "cropMask(MASKS[row]", "cropMask(MASKS[0]"),
        (explore.DetectionTargets, "samplePositions(x1 - 0.5", "samplePositions(x1"),
        (explore.DetectionTargets, "encodeBox(matched.box, box)", "encodeBox(box, matched.box)"),
        (explore.DetectionTargets, "share >= INSIDE", "share > 0"),
        (explore.DetectionTargets, "delta * DELTA_WEIGHTS[n]", "delta"),
        (explore.PasteMask, "(halfPixels ? 0 : 0.5)", "0"),
        (explore.PasteMask, "Math.trunc(edge) + (n < 2 ? 0 : 1)", "Math.trunc(edge)"),
        (explore.PasteMask, "> THRESHOLD", ">= 0.6"),
        (explore.PasteMask, "((x2 - x1) * PADDING) / side", "0"),
        (explore.AveragePrecision, "&& !taken.has(object)", ""),
        (explore.AveragePrecision, "Math.max(...precision.slice(k))", "precision[k]"),
        (explore.AveragePrecision, "one >= wanted", "one > wanted"),
        (explore.AveragePrecision, "best: (one) => !one.right", "best: (one) => one.right"),
        (explore.ErrorKinds, "scores[j] - scores[i]", "scores[i] - scores[j]"),
        (explore.ErrorKinds, '? "misplaced" : "both"', '? "both" : "misplaced"'),
        (explore.ErrorKinds, "iou < BACKGROUND_IOU", "iou < 0"),
        (explore.ErrorKinds, "total(Object.values(ap)) / names.length", "total(Object.values(ap))"),
        (explore.LayerDifferences, "Math.log10(difference) / Math.log10(LEAST)", "LEAST"),
        (
            explore.LayerDifferences,
            "difference === null) return 1",
            "difference === null) return 0",
        ),
        (explore.LossCurves, "sum + run.losses", "run.losses"),
        (explore.LossCurves, "PATIENTS[patient]", '"healthy"'),
        (explore.LossCurves, "other / one", "one / other"),
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
        "no offset",
        "width of the inverse ratio",
        "logarithm to base 2",
        "no anchor is rescued",
        "removed boxes remove",
        "all classes together",
        "the lowest score first",
        "mask of another object",
        "half a pixel to the right",
        "from the object to the proposal",
        "every cell that the mask touches",
        "no weights",
        "half pixels always",
        "no pixel added",
        "another threshold",
        "a ring inside the box",
        "an object is found twice",
        "precision is not interpolated",
        "a recall is read behind itself",
        "right ones last",
        "the lowest score finds an object",
        "the class does not matter where the box is",
        "there is no background",
        "a sum for a mean",
        "no logarithm",
        "another size is no difference",
        "the last loss for the sum",
        "the healthy run twice",
        "ratio of healthy to patient",
    ],
)
def test_a_wrong_module_would_be_noticed(figure, right, wrong, open_figure, differences):
    assert right in figure._esm
    page = open_figure(figure(), change=lambda text: text.replace(right, wrong))
    assert differences(page.compute(), figure().numbers()) != []
