"""Where the samples of RoIAlign lie, told to the programs of a GPU.

What ``roilearn.ops.roi_align`` says about whole tensors of boxes, a program says about one box, or
about a block of them. Arithmetic is torchvision's, step by step, in float32: divisions are rounded
as the processor does, and no product is fused with a sum (``launch.EXACT``), so that the GPU puts
every sample where the other tellings put it.

Tuples hold a value for each level of a pyramid; a single map is a pyramid of one level.
"""

import triton
import triton.language as tl

SAMPLE_LIMIT = tl.constexpr(2**20)
"""Samples of one box along one axis above which an adaptive box reads nothing."""


@triton.jit
def of_level(values, level, LEVELS: tl.constexpr, EACH: tl.constexpr = 1, AT: tl.constexpr = 0):
    """``values[level]``, for a level that only the GPU knows; of ``EACH`` there number ``AT``."""
    value = values[AT]
    for other in tl.static_range(1, LEVELS):
        value = tl.where(level == other, values[other * EACH + AT], value)
    return value


@triton.jit
def level_of(which, box, there, LEVELS: tl.constexpr):
    """Level that each box reads; of a single map there is nothing to load."""
    return box * 0 if LEVELS == 1 else tl.load(which + box, mask=there, other=0)


@triton.jit
def region(rois, box, there, scale, images, ALIGNED: tl.constexpr):
    """Boxes on their map: image, top, left, height, width, in cells, index coordinates.

    A row that is not finite or names no image, and one that is not ``there``, has image -1.
    """
    row = rois + box * 5
    image = tl.load(row, mask=there, other=-1.0)
    offset = 0.5 if ALIGNED else 0.0
    left = tl.load(row + 1, mask=there, other=0.0) * scale - offset
    top = tl.load(row + 2, mask=there, other=0.0) * scale - offset
    width = tl.load(row + 3, mask=there, other=0.0) * scale - offset - left
    height = tl.load(row + 4, mask=there, other=0.0) * scale - offset - top
    good = (image >= 0) & (image < images) & (tl.floor(image) == image)
    good &= (tl.abs(top) < float("inf")) & (tl.abs(left) < float("inf"))
    good &= (tl.abs(height) < float("inf")) & (tl.abs(width) < float("inf"))  # NaN is not below
    if not ALIGNED:
        height, width = tl.maximum(height, 1.0), tl.maximum(width, 1.0)
    top, left = tl.where(good, top, 0.0), tl.where(good, left, 0.0)
    height, width = tl.where(good, height, 0.0), tl.where(good, width, 0.0)
    return tl.where(good, image, -1.0).to(tl.int32), top, left, height, width


@triton.jit
def bins_of(
    rois,
    which,
    scales,
    box,
    images,
    LEVELS: tl.constexpr,
    DOWN: tl.constexpr,
    ACROSS: tl.constexpr,
    ALIGNED: tl.constexpr,
):
    """One box on the map it reads: level, scale, image, top, left, height and width of a bin."""
    level = level_of(which, box, box >= 0, LEVELS)
    scale = of_level(scales, level, LEVELS)
    image, top, left, height, width = region(rois, box, box >= 0, scale, images, ALIGNED)
    bin_height, bin_width = tl.div_rn(height, DOWN * 1.0), tl.div_rn(width, ACROSS * 1.0)
    return level, scale, image, top, left, bin_height, bin_width


@triton.jit
def samples_a_bin(bin_size, BINS: tl.constexpr, RATIO: tl.constexpr):
    """Count the samples of a bin along one axis: ``RATIO``, or one a cell if that is 0."""
    if RATIO == 0:
        limit = SAMPLE_LIMIT // BINS
        samples = tl.minimum(tl.maximum(tl.ceil(bin_size), 0.0), limit + 1.0).to(tl.int32)
        samples = tl.where(samples > limit, 0, samples)
    else:
        samples: tl.constexpr = RATIO
    return samples


@triton.jit
def sample_position(start, bin_size, bin, sample, samples):
    """Index position of a sample: the centre of its part of the bin."""
    within = tl.div_rn((sample + 0.5) * bin_size, samples * 1.0)
    return start + bin * bin_size + within


@triton.jit
def samples_near(start, bin_size, bin, samples, low, high, RATIO: tl.constexpr):
    """First sample of each bin that may lie between ``low`` and ``high``, and how many may.

    However long the box, a program goes through the samples near its cells and no others. Only
    adaptive sampling makes many: its samples lie half a cell apart, or further.
    """
    if RATIO == 0:
        step = tl.maximum(bin_size / tl.maximum(samples, 1), 1e-9)
        before = (low - start - bin * bin_size) / step
        first = tl.minimum(tl.maximum(tl.floor(before) - 2, 0.0), samples * 1.0).to(tl.int32)
        most = tl.minimum(tl.ceil((high - low) / step) + 5, samples * 1.0).to(tl.int32)
    else:
        first: tl.constexpr = 0
        most: tl.constexpr = RATIO
    return first, most


@triton.jit
def neighbours(position, inside, size):
    """Cells below and above each position and its fraction of the way; outside: cell 0."""
    position = tl.minimum(tl.maximum(tl.where(inside, position, 0.0), 0.0), size - 1.0)
    low = tl.floor(position)
    fraction = position - low
    low = low.to(tl.int32)
    return low, tl.minimum(low + 1, size - 1), fraction


@triton.jit
def in_band(position, size):
    """Whether a sample counts: at most one cell outside the first and last value's positions."""
    return (position >= -1.0) & (position <= size)
