"""Record the results of torchvision's CUDA kernels, so that machines without a GPU can compare.

    python tests/cuda_record/record_cuda.py

One file, which needs Python 3.11, torch 2.11 or later, torchvision, NumPy and an NVIDIA GPU; it
installs nothing. It runs some hundreds of seeded cases forward and backward, each unsafe case in
a process of its own, and replaces the record in ``src/roilearn/records/cuda``. Where Triton is, the
kernels of this package are run on every case that is not unsafe, too.

    manifest.json    the machine, and one line a case: options, seed, SHA-256 of the inputs, outcome
    values-*.npz     inputs (whole sixty-fourths) and results (float32), one flat array of each

Exit codes: 0 recorded; 1 recorded, though an ordinary case gave no value; 2 no GPU, or one that
torchvision cannot use: nothing written. ``--device cpu --output FOLDER`` tries the same path on
the CPU; its manifest says so, and nothing takes it for the record.
"""

import argparse
import contextlib
import hashlib
import importlib
import json
import os
import platform
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import zlib
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

FORMAT = 1
RECORD = Path(__file__).resolve().parents[2] / "src" / "roilearn" / "records" / "cuda"
UNIT = 64  # every input is a whole number of sixty-fourths: exact in float32
NEAR = 1e-4  # cells; float32 arithmetic on these maps errs by some 1e-6
BOXES = 8
ROI_OPERATORS = ("roi_align", "roi_pool", "ps_roi_align", "ps_roi_pool")
START_LIMIT, CASE_LIMIT, UNSAFE_LIMIT = 120.0, 30.0, 10.0  # seconds


@dataclass(frozen=True)
class Case:
    """One call of one operator. Groups: ordinary, pyramid, borderline, unsafe."""

    name: str
    operator: str
    group: str
    options: dict[str, Any]
    inputs: dict[str, np.ndarray]
    seed: int | None = None
    reason: str = ""
    backward: bool = True


# --- boxes of every kind -----------------------------------------------------------------------


@dataclass(frozen=True)
class Axis:
    """One axis of a map and the bins laid along it; lengths in cells."""

    size: int
    bins: int
    ratio: int
    offset: float


def inside(random: np.random.RandomState, axis: Axis) -> tuple[int, int]:
    """Draw first and last edge of a span in the map, one cell long at least, in sixty-fourths."""
    first = random.randint(0, UNIT * (axis.size - 1) + 1)
    return first, random.randint(first + UNIT, UNIT * axis.size + 1)


def on_grid(step: int, shift: int) -> Callable[..., tuple[int, int]]:
    """Spans whose edges lie on every ``step``-th sixty-fourth, from ``shift``."""

    def draw(random: np.random.RandomState, axis: Axis) -> tuple[int, int]:
        first = random.randint(0, axis.size - 1)
        last = random.randint(first + 1, axis.size)
        steps = random.randint(0, max(UNIT // step, 1), 2) if step < UNIT else (0, 0)
        return UNIT * first + step * steps[0] + shift, UNIT * last + step * steps[1] + shift

    return draw


def beyond(near: float, far: float, shortest: float, longest: float) -> Callable[..., Any]:
    """Spans with one edge ``near`` to ``far`` cells outside the map, on either side."""

    def draw(random: np.random.RandomState, axis: Axis) -> tuple[int, int]:
        edge = random.randint(int(UNIT * near), int(UNIT * far))
        length = random.randint(int(UNIT * shortest), int(UNIT * longest))
        if random.randint(2):
            return -edge - length, -edge
        return UNIT * axis.size + edge, UNIT * axis.size + edge + length

    return draw


def border(random: np.random.RandomState, axis: Axis) -> tuple[int, int]:
    """Draw a span across one end of the map."""
    out = random.randint(1, 3 * UNIT)
    within = random.randint(UNIT, UNIT * (axis.size - 1))
    return (-out, within) if random.randint(2) else (within, UNIT * axis.size + out)


def zero(random: np.random.RandomState, axis: Axis) -> tuple[int, int]:
    """Draw a span of no length."""
    first, _ = inside(random, axis)
    return first, first


def tiny(random: np.random.RandomState, axis: Axis) -> tuple[int, int]:
    """Draw a span shorter than a quarter of a cell."""
    first, _ = inside(random, axis)
    return first, first + random.randint(1, UNIT // 4)


def huge(random: np.random.RandomState, axis: Axis) -> tuple[int, int]:
    """Draw a span three to five maps long, around the map."""
    whole = UNIT * axis.size
    return random.randint(-2 * whole, -whole), random.randint(2 * whole, 3 * whole)


def edge(limit_is_size: bool) -> Callable[..., tuple[int, int]]:
    """Spans whose outermost sample lies on the band's limit, -1 or the size, with no rounding."""

    def draw(random: np.random.RandomState, axis: Axis) -> tuple[int, int]:
        eighths = random.randint(8, 17)
        adaptive = axis.ratio <= 0
        half = 0.5 if adaptive else eighths / 16  # from the edge to the outermost sample
        length = axis.bins * (eighths % 4 + 1 if adaptive else axis.ratio * eighths / 8)
        if limit_is_size:
            last = axis.size + axis.offset + half
            return int(UNIT * (last - length)), int(UNIT * last)
        first = -1 + axis.offset - half
        return int(UNIT * first), int(UNIT * (first + length))

    return draw


SPANS: dict[str, Callable[..., tuple[int, ...]]] = {
    "inside": inside,
    "integer": on_grid(UNIT, 0),
    "half": on_grid(UNIT, UNIT // 2),
    "quarter": on_grid(UNIT // 2, UNIT // 4),
    "border": border,
    "outside": beyond(1.25, 4, 0.5, 6),
    "far outside": beyond(400, 800, 1, 8),
    "zero": zero,
    "inverted": lambda random, axis: inside(random, axis)[::-1],
    "tiny": tiny,
    "huge": huge,
    "-1 edge": edge(limit_is_size=False),
    "size edge": edge(limit_is_size=True),
    "full": lambda _, axis: (0, UNIT * axis.size),
}

KINDS: dict[str, tuple[tuple[str, str], ...]] = {
    **{kind: ((kind, kind),) for kind in ("inside", "integer", "half", "quarter", "full")},
    **{kind: ((kind, kind),) for kind in ("tiny", "huge")},
    **{
        kind: ((kind, "inside"), ("inside", kind), (kind, kind))
        for kind in ("border", "outside", "far outside", "-1 edge", "size edge")
    },
    "zero width": (("zero", "inside"),),
    "zero height": (("inside", "zero"),),
    "zero both": (("zero", "zero"),),
    "inverted x": (("inverted", "inside"),),
    "inverted y": (("inside", "inverted"),),
    "inverted both": (("inverted", "inverted"),),
}
"""Each kind of box: the spans that its x axis and its y axis may have."""


def draw_box(
    kind: str, random: np.random.RandomState, axes: tuple[Axis, Axis], scale: float
) -> np.ndarray:
    """x1, y1, x2, y2 in image pixels of one box; ``axes`` are x and y."""
    spans = KINDS[kind][random.randint(len(KINDS[kind]))]
    (x1, x2), (y1, y2) = (SPANS[span](random, axis) for span, axis in zip(spans, axes, strict=True))
    return np.rint(np.array([x1, y1, x2, y2]) / scale) / UNIT


# --- borderline cases: their result depends on a rounding --------------------------------------


def sample_arithmetic(
    dtype: type, first: float, last: float, axis: Axis, scale: float
) -> tuple[np.ndarray, ...]:
    """Compute bin size, offsets in a bin and sample positions of one axis in ``dtype``."""
    start, stop = (dtype(end) * dtype(scale) - dtype(axis.offset) for end in (first, last))
    length = stop - start if axis.offset else max(stop - start, dtype(1))
    bin_size = length / dtype(axis.bins)
    samples = axis.ratio if axis.ratio > 0 else max(int(np.ceil(bin_size)), 0)
    bins, parts = np.arange(axis.bins, dtype=dtype)[:, None], np.arange(samples, dtype=dtype)
    within = (parts + dtype(0.5)) * bin_size / dtype(max(samples, 1))
    return np.array(bin_size), within, start + bins * bin_size + within


def sampling_is_borderline(first: float, last: float, axis: Axis, scale: float) -> bool:
    """Whether rounding may change the number of samples or push one across the band's limit."""
    coarse = sample_arithmetic(np.float32, first, last, axis, scale)
    fine = sample_arithmetic(np.float64, first, last, axis, scale)
    exact = all(np.array_equal(a, b) for a, b in zip(coarse[:2], fine[:2], strict=True))
    exact &= float(np.float32(scale)) == scale  # else a fused product may differ from a rounded one
    whole = fine[0] != 0 and abs(fine[0] - np.rint(fine[0])) < NEAR  # no length is no rounding
    if axis.ratio <= 0 and whole and not exact:
        return True
    near = np.minimum(abs(fine[2] + 1), abs(fine[2] - axis.size)) < NEAR
    return bool((near & ~(exact and np.array_equal(coarse[2], fine[2]))).any())


def cells_are_borderline(first: float, last: float, axis: Axis, scale: float, extra: int) -> bool:
    """Whether rounding may move a corner to the next cell, or a bin's edge by a cell."""
    corners = np.array([first, last]) * scale
    coarse = np.array([first, last], np.float32) * np.float32(scale)
    halfway = abs(abs(corners - np.trunc(corners)) - 0.5) < NEAR
    if (halfway & ((coarse != corners) | (float(np.float32(scale)) != scale))).any():
        return True
    start, stop = (np.copysign(np.floor(np.abs(corners) + 0.5), corners)).astype(int)
    length = max(stop - start + extra, 1)
    bin_size = np.float32(length) / np.float32(axis.bins)
    for i in range(axis.bins + 1):
        rounded = np.float32(i) * bin_size
        below = i < axis.bins and np.floor(rounded) != i * length // axis.bins
        above = i > 0 and np.ceil(rounded) != -(-i * length // axis.bins)
        if (below or above) and 0 <= start + np.rint(rounded) <= axis.size:
            return True
    return False


def is_borderline(operator: str, box: np.ndarray, axes: tuple[Axis, Axis], scale: float) -> bool:
    """Whether the result for ``box`` depends on a rounding, on either axis."""
    for axis, first, last in zip(axes, box[:2], box[2:], strict=True):
        if operator.endswith("align"):
            borderline = sampling_is_borderline(first, last, axis, scale)
        else:
            extra = int(operator == "roi_pool")
            borderline = cells_are_borderline(first, last, axis, scale, extra)
        if borderline:
            return True
    return False


def overlap_is_borderline(boxes: np.ndarray, threshold: float) -> bool:
    """Whether the IoU of two boxes is the threshold, but for a rounding."""
    area = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    corner = np.minimum(boxes[:, None, 2:], boxes[:, 2:])
    sides = np.maximum(corner - np.maximum(boxes[:, None, :2], boxes[:, :2]), 0)
    shared = sides.prod(-1)
    total = area[:, None] + area - shared
    near = abs(shared - threshold * total) < 1e-6 * abs(total)
    exact = (shared == threshold * total) & (float(np.float32(threshold)) == threshold)
    return bool((near & ~exact & (total != 0)).any())


def axes_of(operator: str, shape: tuple[int, ...], options: dict[str, Any]) -> tuple[Axis, Axis]:
    """Return the axes x and y of a call."""
    aligned = operator == "ps_roi_align" or bool(options.get("aligned"))
    ratio = options.get("sampling_ratio", 1)
    height, width = options["output_size"]
    offset = 0.5 if aligned else 0.0
    return Axis(shape[-1], width, ratio, offset), Axis(shape[-2], height, ratio, offset)


# --- the cases ---------------------------------------------------------------------------------

SAMPLED = (  # output size, sampling ratio (below 1: adaptive), spatial scale
    ((2, 2), 2, 1.0),
    ((4, 2), -1, 0.25),
    ((7, 7), 2, 0.25),
    ((3, 5), -1, 1.0),
    ((1, 1), 1, 0.0625),
    ((3, 2), 3, 0.3),
    ((5, 3), -1, 0.3),
)
POOLED = (((2, 2), 1.0), ((7, 7), 0.25), ((3, 5), 0.0625), ((3, 2), 0.3))
SENSITIVE_SAMPLED = (((2, 2), 2, 1.0), ((3, 2), -1, 0.25), ((1, 3), 1, 0.3))
SENSITIVE_POOLED = (((2, 2), 1.0), ((3, 2), 0.25), ((1, 3), 0.3))


def settings(operator: str) -> list[dict[str, Any]]:
    """Return the options of every ordinary case of ``operator``."""
    table = {
        "roi_align": SAMPLED,
        "roi_pool": POOLED,
        "ps_roi_align": SENSITIVE_SAMPLED,
        "ps_roi_pool": SENSITIVE_POOLED,
    }[operator]
    if operator.endswith("pool"):
        return [{"output_size": size, "spatial_scale": scale} for size, scale in table]
    sampled = [
        {"output_size": size, "spatial_scale": scale, "sampling_ratio": ratio}
        for size, ratio, scale in table
    ]
    if operator == "ps_roi_align":
        return sampled
    return [{**options, "aligned": aligned} for options in sampled for aligned in (False, True)]


def sixty_fourths(
    random: np.random.RandomState, low: int, high: int, shape: tuple[int, ...]
) -> np.ndarray:
    """Draw float32 multiples of 1/64; ``low`` and ``high`` are in sixty-fourths."""
    return (random.randint(low, high, shape) / UNIT).astype(np.float32)


def map_shape(operator: str, options: dict[str, Any]) -> tuple[int, int, int, int]:
    """Return the shape of the features, never square; position-sensitive: two output channels."""
    if operator.startswith("ps_"):
        return 2, 2 * options["output_size"][0] * options["output_size"][1], 8, 10
    return 2, 3, 12, 16


def roi_inputs(
    operator: str, options: dict[str, Any], kind: str, seed: int, shared: int
) -> dict[str, np.ndarray]:
    """Draw features (the same for all kinds of a setting), boxes and the gradient of the output."""
    shape = map_shape(operator, options)
    random, axes = np.random.RandomState(seed), axes_of(operator, shape, options)
    boxes = np.empty((BOXES, 5), np.float32)
    for k in range(BOXES):
        box = draw_box(kind, random, axes, options["spatial_scale"])
        while is_borderline(operator, box, axes, options["spatial_scale"]):
            box = draw_box(kind, random, axes, options["spatial_scale"])
        boxes[k] = [random.randint(shape[0]), *box]
    channels = 2 if operator.startswith("ps_") else shape[1]
    return {
        "features": sixty_fourths(np.random.RandomState(shared), -128, 128, shape),
        "boxes": boxes,
        "upstream": sixty_fourths(random, -64, 64, (BOXES, channels, *options["output_size"])),
    }


def describe(options: dict[str, Any]) -> str:
    """Return options as part of a case's name."""
    height, width = options["output_size"]
    parts = [f"{height}x{width}", f"scale {options['spatial_scale']:g}"]
    if "sampling_ratio" in options:
        ratio = options["sampling_ratio"]
        parts.append(f"ratio {ratio}" if ratio > 0 else "adaptive")
    if options.get("aligned"):
        parts.append("aligned")
    return " ".join(parts)


def raises_on_cpu(operator: str, options: dict[str, Any], kind: str) -> bool:
    """Whether one axis is inverted, adaptive and aligned: unsafe, since the CPU kernel raises."""
    adaptive = operator == "roi_align" and options["sampling_ratio"] <= 0
    return adaptive and options["aligned"] and kind in ("inverted x", "inverted y")


def ordinary_rois() -> Iterator[Case]:
    """Yield a case of every operator, setting and kind of box."""
    for operator in ROI_OPERATORS:
        for options in settings(operator):
            setting = f"{operator}/{describe(options)}"
            for kind in KINDS:
                if raises_on_cpu(operator, options, kind):
                    continue
                name = f"{setting}/{kind}"
                seed, shared = zlib.crc32(name.encode()), zlib.crc32(setting.encode())
                inputs = roi_inputs(operator, options, kind, seed, shared)
                yield Case(name, operator, "ordinary", options, inputs, seed)


def clustered_boxes(random: np.random.RandomState, kind: str, count: int) -> np.ndarray:
    """Draw (K, 4) boxes in clusters, in pixels; some are odd, by ``kind``."""
    centres = random.randint(0, 20 * UNIT, (1 + count // 6, 2))[
        random.randint(0, 1 + count // 6, count)
    ]
    corners = centres + random.randint(-2 * UNIT, 2 * UNIT, (count, 2))
    boxes = np.hstack([corners, corners + random.randint(3 * UNIT, 9 * UNIT, (count, 2))])
    if kind == "odd":
        boxes[::5, 2] = boxes[::5, 0]
        boxes[1::7, 2:] = boxes[1::7, :2]
        boxes[2::9, [0, 2]] = boxes[2::9, [2, 0]]
        boxes[3::11] = boxes[3::11][:, [2, 3, 0, 1]]
    if kind == "identical":
        boxes[:] = boxes[0]
    return (boxes / UNIT).astype(np.float32)


def ordinary_nms() -> Iterator[Case]:
    """Clusters of boxes about the kernel's blocks of 64, with distinct scores."""
    clusters = [("plain", n, t) for n in (0, 1, 63, 64, 65, 130) for t in (0.3, 0.5, 0.7)]
    clusters += [("plain", 40, 0.0), ("plain", 40, 1.0)]
    clusters += [("odd", 80, 0.3), ("odd", 80, 0.5), ("identical", 10, 0.5), ("identical", 10, 1.0)]
    for kind, count, threshold in clusters:
        name = f"nms/{kind} {count} threshold {threshold:g}"
        seed = zlib.crc32(name.encode())
        random = np.random.RandomState(seed)
        boxes = clustered_boxes(random, kind, count)
        while overlap_is_borderline(boxes.astype(float), threshold):
            boxes = clustered_boxes(random, kind, count)
        inputs = {"boxes": boxes, "scores": (random.permutation(count) / UNIT).astype(np.float32)}
        yield Case(name, "nms", "ordinary", {"iou_threshold": threshold}, inputs, seed, "", False)


MIDDLE = "the middle of three bins is a third of a length: its sample is at the limit or beside it"
CEIL = "the box is 3 samples a bin long, or 3 and a rounding, which makes 4"
SEVENTHS = "57 cells / 7 bins x 7 is 57.000004 in float32: the last bin gains a 58th cell"
FLOAT_THRESHOLD = (
    "IoU 3/10: the CUDA kernel rounds the threshold to float32, the CPU kernel does not"
)

ROI_BORDERLINE: tuple[tuple[str, tuple[float, ...], dict[str, Any], str], ...] = (
    (
        "roi_align",
        (-0.53125, 2, -0.46875, 5),
        {"output_size": (1, 3), "spatial_scale": 1.0, "sampling_ratio": 1, "aligned": True},
        f"limit x = -1; {MIDDLE}",
    ),
    (
        "roi_align",
        (2, 12.46875, 5, 12.53125),
        {"output_size": (3, 1), "spatial_scale": 1.0, "sampling_ratio": 1, "aligned": True},
        f"limit y = size; {MIDDLE}",
    ),
    (
        "roi_align",
        (-10, 20, 0, 50),
        {"output_size": (1, 1), "spatial_scale": 0.1, "sampling_ratio": 1, "aligned": True},
        "limit x = -1; 0.1 is no float32, so -10 px may lie on either side of -1 cell",
    ),
    (
        "roi_align",
        (4.5, 5, 14.5, 7),
        {"output_size": (1, 1), "spatial_scale": 0.3, "sampling_ratio": -1, "aligned": True},
        f"{CEIL}: with a separate product and difference",
    ),
    (
        "roi_align",
        (3.75, 5, 13.75, 7),
        {"output_size": (1, 1), "spatial_scale": 0.3, "sampling_ratio": -1, "aligned": True},
        f"{CEIL}: with a fused product and difference",
    ),
    (
        "roi_pool",
        (43, 3, 45, 3),
        {"output_size": (1, 2), "spatial_scale": 0.7},
        "45 px x 0.7 is 31.5 cells or just below: the last cell is 32 or 31",
    ),
    ("roi_pool", (2, 0, 58, 1), {"output_size": (1, 7), "spatial_scale": 1.0}, SEVENTHS),
    (
        "ps_roi_align",
        (-0.53125, 2, -0.46875, 5),
        {"output_size": (1, 3), "spatial_scale": 1.0, "sampling_ratio": 1},
        f"limit x = -1; {MIDDLE}",
    ),
    ("ps_roi_pool", (2, 0, 59, 1), {"output_size": (1, 7), "spatial_scale": 1.0}, SEVENTHS),
)
"""Operator, box, options and why the result depends on a rounding. No ordinary case's does."""

NMS_BORDERLINE = (
    ([[0, 0, 10, 1], [0, 0, 3, 1]], [2, 1], 0.3, FLOAT_THRESHOLD),
    ([[0, 0, 10, 1], [0, 0, 7, 1]], [2, 1], 0.7, FLOAT_THRESHOLD.replace("3/10", "7/10")),
    (
        [[0, 0, 4, 4], [1, 0, 5, 4], [9, 0, 12, 4]],
        [1, 1, 1],
        0.5,
        "equal scores: the CUDA kernel's sort does not promise to keep their order",
    ),
)
"""Boxes, scores, threshold, reason."""


def borderline_cases() -> Iterator[Case]:
    """Yield cases whose result depends on a rounding, one box each."""
    for number, (operator, box, options, reason) in enumerate(ROI_BORDERLINE):
        name = f"{operator}/borderline {number}"
        random = np.random.RandomState(number)
        channels = int(np.prod(options["output_size"])) if operator.startswith("ps_") else 1
        features = sixty_fourths(random, -128, 128, (1, channels, 12, 64))
        if operator == "roi_pool":
            features.sort()  # so that a cell more on the right shows in the maximum
        inputs = {
            "features": features if operator.endswith("pool") else features[..., :16].copy(),
            "boxes": np.array([[0, *box]], np.float32),
            "upstream": sixty_fourths(random, -64, 64, (1, 1, *options["output_size"])),
        }
        yield Case(name, operator, "borderline", options, inputs, number, reason)
    for number, (boxes, scores, threshold, reason) in enumerate(NMS_BORDERLINE):
        inputs = {"boxes": np.array(boxes, np.float32), "scores": np.array(scores, np.float32)}
        options = {"iou_threshold": threshold}
        yield Case(
            f"nms/borderline {number}", "nms", "borderline", options, inputs, None, reason, False
        )


NAN, INFINITE, WIDE = float("nan"), float("inf"), 1e9
UNSAFE_BOXES: dict[str, tuple[float, ...]] = {
    "NaN x1": (0, NAN, 1, 4, 3),
    "infinite x2": (0, 1, 1, INFINITE, 3),
    "1e9 wide": (0, 0, 0, WIDE, 3),
    "x inverted": (0, 4, 1, 1, 3),
    "y inverted": (0, 1, 3, 4, 1),
    "batch index 1 of 1": (1, 1, 1, 4, 3),
    "batch index 7 of 1": (7, 1, 1, 4, 3),
    "batch index -1": (-1, 1, 1, 4, 3),
    "batch index 1e6": (1e6, 1, 1, 4, 3),
    "batch index 0.5": (0.5, 1, 1, 4, 3),
}
UNREAL = ("NaN x1", "infinite x2")
WRONG_IMAGE = tuple(name for name in UNSAFE_BOXES if name.startswith("batch index"))


def unsafe_calls() -> Iterator[tuple[str, str, dict[str, Any], bool]]:
    """Yield operator, box, options and whether to run backward, for every unsafe RoI case."""
    fixed, adaptive = {"sampling_ratio": 2}, {"sampling_ratio": -1}
    for aligned in (False, True):
        for ratio in (fixed, adaptive):
            yield from (("roi_align", box, {**ratio, "aligned": aligned}, False) for box in UNREAL)
        yield "roi_align", "1e9 wide", {**adaptive, "aligned": aligned}, False
    for box in ("x inverted", "y inverted"):
        yield "roi_align", box, {**adaptive, "aligned": True}, True
    for box in WRONG_IMAGE:
        yield "roi_align", box, {**fixed, "aligned": True}, False
    for box in ("NaN x1", "batch index 7 of 1"):
        yield "roi_align", box, {**fixed, "aligned": True}, True
        yield "roi_pool", box, {}, True
    for operator, ratios in (
        ("roi_pool", [{}]),
        ("ps_roi_pool", [{}]),
        ("ps_roi_align", [fixed, adaptive]),
    ):
        for ratio in ratios:
            yield from ((operator, box, ratio, False) for box in ("NaN x1", "infinite x2"))
        yield operator, "1e9 wide", ratios[-1], False
        yield from (
            (operator, box, ratios[0], False) for box in ("batch index -1", "batch index 1e6")
        )


def unsafe_cases() -> Iterator[Case]:
    """Yield cases that crash, hang or read foreign memory somewhere; each in its own process."""
    for operator, box, extra, backward in unsafe_calls():
        options = {"output_size": (2, 2), "spatial_scale": 1.0, **extra}
        name = f"{operator}/{describe(options)}/{box}" + ("/backward" if backward else "")
        channels = 4 if operator.startswith("ps_") else 1
        random = np.random.RandomState(zlib.crc32(name.encode()))
        inputs = {
            "features": sixty_fourths(random, -128, 128, (1, channels, 4, 6)),
            "boxes": np.array([UNSAFE_BOXES[box]], np.float32),
            "upstream": sixty_fourths(random, -64, 64, (1, 1, 2, 2)),
        }
        yield Case(name, operator, "unsafe", options, inputs, backward=backward)
    for name, column in (("NaN x1", 0), ("infinite x2", 2)):
        boxes = np.array([[0, 0, 4, 4], [1, 0, 5, 4], [9, 0, 12, 4]], np.float32)
        boxes[1, column] = {0: NAN, 2: INFINITE}[column]
        inputs = {"boxes": boxes, "scores": np.array([3, 2, 1], np.float32)}
        yield Case(f"nms/{name}", "nms", "unsafe", {"iou_threshold": 0.5}, inputs, backward=False)


PYRAMID = ((24, 32), (12, 16), (6, 8))  # rows and columns of the levels
LEVELS = {"spatial_scales": [0.25, 0.125, 0.0625], "canonical_scale": 32, "canonical_level": 3}
PYRAMID_KINDS = ("inside", "quarter", "border", "outside", "full", "tiny", "huge", "inverted both")


def level_of(box: np.ndarray) -> int | None:
    """Return the level that a box is pooled from; None if that depends on a rounding."""
    area = (box[2] - box[0]) * (box[3] - box[1])
    level = 1 + np.log2(max(np.sqrt(max(area, 0)), NEAR) / LEVELS["canonical_scale"])
    if abs(level - np.rint(level)) < NEAR:
        return None
    return int(np.clip(np.floor(level), 0, len(PYRAMID) - 1))


def draw_level_box(kind: str, random: np.random.RandomState, options: dict[str, Any]) -> np.ndarray:
    """Draw a box for a random level whose result depends on no rounding."""
    while True:
        drawn = random.randint(len(PYRAMID))
        axes = axes_of("roi_align", (1, 1, *PYRAMID[drawn]), options)
        box = draw_box(kind, random, axes, LEVELS["spatial_scales"][drawn])
        level = level_of(box)
        if level is not None:
            axes = axes_of("roi_align", (1, 1, *PYRAMID[level]), options)
            if not is_borderline("roi_align", box, axes, LEVELS["spatial_scales"][level]):
                return box


def pyramids() -> Iterator[Case]:
    """Multi-scale RoIAlign on three levels; boxes sorted by image, as torchvision needs."""
    for size, ratio in (((7, 7), 2), ((3, 2), -1)):
        options = {"output_size": size, "sampling_ratio": ratio, **LEVELS}
        for kind in PYRAMID_KINDS:
            sampling = f"ratio {ratio}" if ratio > 0 else "adaptive"
            name = f"multi_scale_roi_align/{size[0]}x{size[1]} {sampling}/{kind}"
            seed = zlib.crc32(name.encode())
            random = np.random.RandomState(seed)
            images = [k // (BOXES // 2) for k in range(BOXES)]
            boxes = [[image, *draw_level_box(kind, random, options)] for image in images]
            inputs = {
                f"map{level}": sixty_fourths(random, -128, 128, (2, 2, *shape))
                for level, shape in enumerate(PYRAMID)
            }
            inputs["boxes"] = np.array(boxes, np.float32)
            inputs["upstream"] = sixty_fourths(random, -64, 64, (BOXES, 2, *size))
            yield Case(name, "multi_scale_roi_align", "pyramid", options, inputs, seed)


def every_case() -> Iterator[Case]:
    """Yield every case of the record, in order."""
    for group in (unsafe_cases, borderline_cases, ordinary_nms, ordinary_rois, pyramids):
        yield from group()


def digest(inputs: dict[str, np.ndarray]) -> str:
    """Return the SHA-256 of names, shapes and bytes of the inputs."""
    total = hashlib.sha256()
    for name, values in sorted(inputs.items()):
        total.update(f"{name} {values.dtype.str} {values.shape}".encode())
        total.update(np.ascontiguousarray(values).tobytes())
    return total.hexdigest()


# --- running: torch is imported in worker processes alone ----------------------------------------


def run_case(case: Case, device: str) -> dict[str, np.ndarray]:
    """Run torchvision: the output and, where there is one, the feature gradient."""
    return run_operator(importlib.import_module("torchvision").ops, case, device)


def run_kernels(case: Case, device: str) -> dict[str, np.ndarray]:
    """Run this package's kernels; nothing where Triton is not installed or there is no kernel."""
    source, tests = RECORD.parents[2], Path(__file__).resolve().parents[1]
    stand_ins = tests / "kernels" / "stand_ins"  # last: what is installed comes first
    sys.path[:] = [str(source), *sys.path, str(stand_ins)]
    try:
        kernels = importlib.import_module("roilearn.kernels")
    except ImportError:
        return {}
    finally:
        sys.path[:] = sys.path[1:-1]
    if not hasattr(kernels, case.operator):
        return {}
    return {
        f"kernel {part}": values for part, values in run_operator(kernels, case, device).items()
    }


def run_operator(operators: Any, case: Case, device: str) -> dict[str, np.ndarray]:
    """Run torchvision's operators, or others with the same names."""
    torch = importlib.import_module("torch")
    tensors = {name: torch.from_numpy(values).to(device) for name, values in case.inputs.items()}
    if case.operator == "nms":
        kept = operators.nms(tensors["boxes"], tensors["scores"], **case.options)
        return {"forward": kept.cpu().numpy().astype(np.float32)}
    names = [name for name in tensors if name.startswith(("features", "map"))]
    maps = [tensors[name].requires_grad_(case.backward) for name in names]
    if case.group == "pyramid":
        output = pool_pyramid(operators, maps, tensors["boxes"], case.options)
    else:
        output = getattr(operators, case.operator)(maps[0], tensors["boxes"], **case.options)
    results = {"forward": output.detach().cpu().numpy()}
    if case.backward:
        gradients = torch.autograd.grad(output, maps, tensors["upstream"])
        found = [gradient.cpu().numpy() for gradient in gradients]
        results["gradient"] = (
            found[0] if len(found) == 1 else np.concatenate([each.ravel() for each in found])
        )
    return results


def pool_pyramid(operators: Any, maps: list[Any], boxes: Any, options: dict[str, Any]) -> Any:
    """Pool from a pyramid: by the function, or by torchvision's module."""
    if hasattr(operators, "multi_scale_roi_align"):
        return operators.multi_scale_roi_align(maps, boxes, **options)
    levels = {name: options[name] for name in ("canonical_scale", "canonical_level")}
    names = [str(level) for level in range(len(maps))]
    pool = operators.MultiScaleRoIAlign(
        names, options["output_size"], options["sampling_ratio"], **levels
    )
    image = tuple(int(side / options["spatial_scales"][0]) for side in maps[0].shape[2:])
    each = [boxes[boxes[:, 0] == n, 1:] for n in range(len(maps[0]))]
    return pool(dict(zip(names, maps, strict=True)), each, [image] * len(each))


def max_difference(a: np.ndarray, b: np.ndarray) -> float:
    """Return the largest difference; NaN in one array alone makes it infinite."""
    if a.shape != b.shape or not np.array_equal(np.isnan(a), np.isnan(b)):
        return float("inf")
    return float(np.abs(np.nan_to_num(a) - np.nan_to_num(b)).max(initial=0))


def outcome_of(case: Case, device: str, folder: Path, stem: str) -> dict[str, Any]:
    """Run ``case``, twice unless unsafe; store its values, return what happened."""
    try:
        first = run_case(case, device)
        again = run_case(case, device) if case.group != "unsafe" else first
    except Exception as error:  # noqa: BLE001  whatever it raises is the result
        message = str(error).strip().splitlines() or [""]
        return {"outcome": "error", "error": type(error).__name__, "message": message[0][:160]}
    facts = {
        "outcome": "value",
        "rerun": {name: max_difference(first[name], again[name]) for name in first},
    }
    if device == "cuda" and case.group != "unsafe":
        try:
            first = first | run_kernels(case, device)
        except Exception as error:  # noqa: BLE001  torchvision's results are kept whatever ours does
            facts["kernel"] = f"{type(error).__name__}: {error}"[:160]
    np.savez(folder / f"{stem}.npz", **first)
    return facts


def machine(device: str) -> dict[str, Any]:
    """Return the device and the versions; raise if torchvision cannot use the device."""
    torch, torchvision = importlib.import_module("torch"), importlib.import_module("torchvision")
    facts = {
        "device": device,
        "torch": torch.__version__,
        "torchvision": torchvision.__version__,
        "numpy": np.__version__,
        "python": platform.python_version(),
        "processor": platform.machine(),
    }
    if device == "cuda":
        if not torch.cuda.is_available():
            raise RuntimeError("torch sees no CUDA device")
        major, minor = torch.cuda.get_device_capability(0)
        facts |= {"gpu": torch.cuda.get_device_name(0), "compute_capability": f"{major}.{minor}"}
        facts["cuda"] = torch.version.cuda
    run_case(next(borderline_cases()), device)
    return facts


def driver() -> str:
    """Return the version of the NVIDIA driver, or "unknown"."""
    query = ["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"]
    try:
        answer = subprocess.run(query, capture_output=True, text=True, timeout=30, check=True)
    except (OSError, subprocess.SubprocessError):
        return "unknown"
    return answer.stdout.split()[0] if answer.stdout.strip() else "unknown"


def work(job_file: Path, cases: Iterable[Case]) -> None:
    """Worker: report the machine, then run the job's cases up to the first that fails."""
    job = json.loads(job_file.read_text())
    folder, known = job_file.parent, {}
    for case in cases:
        known[case.name] = case
        if case.name == job["names"][-1]:
            break
    try:
        report(folder / "machine.json", machine(job["device"]))
    except Exception as error:  # noqa: BLE001  reported to the parent, which decides
        report(folder / "machine.json", {"unusable": f"{type(error).__name__}: {error}"[:300]})
        return
    for name in job["names"]:
        stem = f"case-{zlib.crc32(name.encode()):08x}"
        result = outcome_of(known[name], job["device"], folder, stem)
        report(folder / f"{stem}.json", {"name": name, **result})
        if result["outcome"] == "error":
            return  # a CUDA error sticks to the process: the next case needs a new one


def report(file: Path, facts: dict[str, Any]) -> None:
    """Write ``facts`` so that a reader sees all of them or nothing."""
    part = file.with_suffix(".part")
    part.write_text(json.dumps(facts))
    part.replace(file)


@dataclass
class Runner:
    """Runs cases in processes of ``script``, with time limits in seconds."""

    script: Path
    device: str
    folder: Path
    case_limit: float = CASE_LIMIT
    start_limit: float = START_LIMIT
    results: dict[str, dict[str, Any]] = field(default_factory=dict)
    machine: dict[str, Any] = field(default_factory=dict)

    def run(self, names: Iterable[str]) -> None:
        """Run all of ``names``; the case that ends a process is noted, the rest get a new one."""
        waiting = list(names)
        while waiting:
            ended = self.run_process(waiting)
            waiting = [name for name in waiting if name not in self.results]
            if waiting and ended is not None:
                self.results[waiting.pop(0)] = ended

    def run_process(self, names: list[str]) -> dict[str, Any] | None:
        """Start one process for ``names``; what ended it, if neither its end nor an error did."""
        folder = Path(tempfile.mkdtemp(dir=self.folder))
        job = folder / "job"
        job.write_text(json.dumps({"names": names, "device": self.device}))
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, str(self.script), "--worker", str(job)],
                stdout=log,
                stderr=log,
                cwd=folder,  # where a core file would land
            )
            late = self.watch(process, folder)
        told = [self.results[name]["outcome"] for name in self.collect(folder)]
        if not (folder / "machine.json").exists():
            raise RuntimeError(
                f"a process ended before it could report: {(folder / 'log').read_text()}"
            )
        if "error" in told:  # it ended by itself, however it died of it
            return None
        if late:
            return {"outcome": "timeout", "seconds": self.case_limit}
        if process.returncode:
            return crash(process.returncode)
        return None if told else {"outcome": "crash", "exit": "ended without a word"}

    def watch(self, process: subprocess.Popen, folder: Path) -> bool:
        """Wait for the process to end; kill it, and say so, once a case takes too long."""
        done, since = -1, time.monotonic()
        while process.poll() is None:
            count = len(list(folder.glob("*.json")))
            if count != done:
                done, since = count, time.monotonic()
            limit = self.case_limit if done else self.start_limit
            if time.monotonic() - since > limit:
                process.kill()
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(timeout=30)  # a kernel that never ends may hold it up
                return True
            time.sleep(0.02)
        return False

    def collect(self, folder: Path) -> list[str]:
        """Take up what a worker reported; the names of its cases."""
        names = []
        for file in sorted(folder.glob("*.json")):
            facts = json.loads(file.read_text())
            if file.stem == "machine":
                if "unusable" in facts:
                    raise UnusableDeviceError(facts["unusable"])
                self.machine = facts
                continue
            names.append(facts.pop("name"))
            if file.with_suffix(".npz").exists():
                with np.load(file.with_suffix(".npz")) as stored:
                    facts["values"] = {name: stored[name] for name in stored.files}
            self.results[names[-1]] = facts
        return names


class UnusableDeviceError(RuntimeError):
    """There is no GPU, or torchvision cannot use it."""


def crash(code: int) -> dict[str, Any]:
    """Describe how a process crashed: the signal's name, or the exit code."""
    if code < 0:
        return {"outcome": "crash", "signal": signal.Signals(-code).name}
    return {"outcome": "crash", "exit": str(code)}


def run_all(cases: list[Case], runner: Runner) -> None:
    """Run ordinary cases in one process, as long as it lives; every unsafe one in its own.

    What was recorded is kept when the device is lost on the way: the other cases are "not run".
    """
    started = time.monotonic()
    try:
        runner.run(case.name for case in cases if case.group != "unsafe")
    except UnusableDeviceError:
        if not runner.results:
            raise
    log(f"{len(runner.results)} cases after {time.monotonic() - started:.0f} s")
    runner.case_limit = UNSAFE_LIMIT
    alone = [case.name for case in cases if case.group == "unsafe"]

    def run_alone(name: str) -> None:
        with contextlib.suppress(RuntimeError):
            runner.run([name])

    with ThreadPoolExecutor(max_workers=min(16, os.cpu_count() or 1)) as pool:
        list(pool.map(run_alone, alone))
    log(f"{len(alone)} unsafe cases after {time.monotonic() - started:.0f} s")
    for case in cases:
        runner.results.setdefault(case.name, {"outcome": "not run"})


# --- writing -----------------------------------------------------------------------------------


class Flat:
    """Arrays end to end in one array; equal arrays are kept once."""

    def __init__(self, dtype: type) -> None:
        self.dtype, self.parts, self.places, self.length = dtype, [], {}, 0

    def add(self, values: np.ndarray) -> dict[str, Any]:
        """Where ``values`` lie: first element and shape."""
        packed = np.ascontiguousarray(values, self.dtype).ravel()
        key = packed.tobytes()
        if key not in self.places:
            self.places[key] = self.length
            self.parts.append(packed)
            self.length += packed.size
        return {"at": self.places[key], "shape": list(values.shape)}

    def array(self) -> np.ndarray:
        """Everything added so far."""
        return np.concatenate([np.empty(0, self.dtype), *self.parts])


def line_of(case: Case, result: dict[str, Any], inputs: Flat, results: Flat) -> dict[str, Any]:
    """One case for the manifest; its arrays go to the flat ones, an unsafe one's into the line."""
    line = {
        "name": case.name,
        "operator": case.operator,
        "group": case.group,
        "options": case.options,
    }
    line |= {"seed": case.seed, "reason": case.reason, "inputs_sha256": digest(case.inputs)}
    facts = dict(result)
    values = facts.pop("values", {})
    if case.group == "unsafe":
        line["boxes"] = [[repr(float(x)) for x in box] for box in case.inputs["boxes"]]
        if values:
            facts["values"] = {k: [repr(float(x)) for x in v.ravel()] for k, v in values.items()}
        return line | facts
    line["inputs"] = {name: inputs.add(array * UNIT) for name, array in case.inputs.items()}
    return line | facts | {"results": {name: results.add(array) for name, array in values.items()}}


def write(folder: Path, cases: list[Case], runner: Runner) -> Path:
    """Replace the record in ``folder``: values first, then the manifest that names them."""
    inputs, results = Flat(np.int32), Flat(np.float32)
    lines = [line_of(case, runner.results[case.name], inputs, results) for case in cases]
    folder.mkdir(parents=True, exist_ok=True)
    part = folder / "values.part"
    with part.open("wb") as stream:
        np.savez_compressed(stream, sixty_fourths=inputs.array(), results=results.array())
    checksum = hashlib.sha256(part.read_bytes()).hexdigest()
    values = folder / f"values-{checksum[:12]}.npz"
    part.replace(values)
    head = {"format": FORMAT, "machine": runner.machine}
    head["values"] = {"file": values.name, "sha256": checksum}
    text = json.dumps(head, indent=1)[:-2] + ',\n "cases": [\n  '
    text += ",\n  ".join(json.dumps(line) for line in lines) + "\n ]\n}\n"
    part.write_text(text)
    part.replace(folder / "manifest.json")
    for old in folder.glob("values-*.npz"):
        if old != values:
            old.unlink()
    return folder / "manifest.json"


def log(text: str) -> None:
    """Print a line at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def lacks_value(case: Case, result: dict[str, Any]) -> bool:
    """Whether a case gave less than it should: a value, or for an unsafe one any outcome."""
    if result["outcome"] == "not run" or "kernel" in result:
        return True
    return case.group != "unsafe" and result["outcome"] != "value"


def record(output: Path, cases: list[Case], runner: Runner) -> int:
    """Run all cases, write the record and print a summary; return the exit code."""
    try:
        run_all(cases, runner)
    except UnusableDeviceError as error:
        log(f"Nothing recorded: device {runner.device} cannot be used: {error}.")
        log("The recorder needs an NVIDIA GPU and builds of torch and torchvision for CUDA.")
        return 2
    if runner.device == "cuda":
        runner.machine["driver"] = driver()
    manifest = write(output, cases, runner)
    failed = [case.name for case in cases if lacks_value(case, runner.results[case.name])]
    for name in failed:
        log(f"no value: {name}: {runner.results[name]}")
    size = sum(file.stat().st_size for file in output.iterdir())
    log(f"Wrote {manifest}: {len(cases)} cases, {size / 1e6:.1f} MB, {runner.machine}")
    return int(bool(failed))


def main(arguments: list[str] | None = None, script: Path = Path(__file__)) -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda")
    parser.add_argument("--output", type=Path, help=f"folder to write; default for cuda: {RECORD}")
    parser.add_argument("--worker", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.worker:
        work(options.worker, every_case())
        return 0
    if options.device == "cpu" and options.output is None:
        parser.error("--device cpu needs --output: a run on the CPU is not the record")
    folder = Path(tempfile.mkdtemp(prefix="record-cuda-"))
    try:
        runner = Runner(script.resolve(), options.device, folder)
        return record(options.output or RECORD, list(every_case()), runner)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
