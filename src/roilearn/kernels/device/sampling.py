"""Sampling points of RoIAlign: where they lie on the map, and which cells they read.

``roilearn.ops.roi_align`` computes this for a tensor of boxes; here a program computes it for one
box or a block of boxes. The arithmetic is torchvision's, step by step, in float32: divisions are
rounded as on a CPU, and no product is fused with a sum (``launch.NO_FMA``). So the GPU places every
sample exactly where the other implementations place it.

Tuples hold a value for each level of a pyramid; a single map is a pyramid of one level.
"""

import triton
import triton.language as tl

SAMPLE_LIMIT = tl.constexpr(2**20)
"""Samples of one box on one axis above which an adaptive box reads nothing."""


@triton.jit
def select_level(values, level, LEVELS: tl.constexpr, EACH: tl.constexpr = 1, AT: tl.constexpr = 0):
    """Return ``values[level]``, the level known at run time; of ``EACH`` values, number ``AT``."""
    value = values[AT]
    for other in tl.static_range(1, LEVELS):
        value = tl.where(level == other, values[other * EACH + AT], value)
    return value


@triton.jit
def load_level(levels, box, mask, LEVELS: tl.constexpr):
    """Load the level that each box reads; for a single map it is 0."""
    return box * 0 if LEVELS == 1 else tl.load(levels + box, mask=mask, other=0)


@triton.jit
def region(rois, box, mask, scale, images, ALIGNED: tl.constexpr):
    """Return boxes on their map: image, top, left, height, width, in cells, index coordinates.

    A row that is not finite, names no image or is masked out has image -1.
    """
    row = rois + box * 5
    image = tl.load(row, mask=mask, other=-1.0)
    offset = 0.5 if ALIGNED else 0.0
    left = tl.load(row + 1, mask=mask, other=0.0) * scale - offset
    top = tl.load(row + 2, mask=mask, other=0.0) * scale - offset
    width = tl.load(row + 3, mask=mask, other=0.0) * scale - offset - left
    height = tl.load(row + 4, mask=mask, other=0.0) * scale - offset - top
    good = (image >= 0) & (image < images) & (tl.floor(image) == image)
    good &= (tl.abs(top) < float("inf")) & (tl.abs(left) < float("inf"))
    good &= (tl.abs(height) < float("inf")) & (tl.abs(width) < float("inf"))  # NaN is not below
    if not ALIGNED:
        height, width = tl.maximum(height, 1.0), tl.maximum(width, 1.0)
    top, left = tl.where(good, top, 0.0), tl.where(good, left, 0.0)
    height, width = tl.where(good, height, 0.0), tl.where(good, width, 0.0)
    return tl.where(good, image, -1.0).to(tl.int32), top, left, height, width


@triton.jit
def load_bins(
    rois,
    levels,
    scales,
    box,
    images,
    LEVELS: tl.constexpr,
    POOLED_HEIGHT: tl.constexpr,
    POOLED_WIDTH: tl.constexpr,
    ALIGNED: tl.constexpr,
):
    """Return one box on its map: level, scale, image, top, left, and height and width of a bin."""
    level = load_level(levels, box, box >= 0, LEVELS)
    scale = select_level(scales, level, LEVELS)
    image, top, left, height, width = region(rois, box, box >= 0, scale, images, ALIGNED)
    bin_height, bin_width = (
        tl.div_rn(height, POOLED_HEIGHT * 1.0),
        tl.div_rn(width, POOLED_WIDTH * 1.0),
    )
    return level, scale, image, top, left, bin_height, bin_width


@triton.jit
def samples_per_bin(bin_size, BINS: tl.constexpr, SAMPLING_RATIO: tl.constexpr):
    """Count the samples of a bin on one axis: ``SAMPLING_RATIO``; if that is 0, one a cell."""
    if SAMPLING_RATIO == 0:
        limit = SAMPLE_LIMIT // BINS
        samples = tl.minimum(tl.maximum(tl.ceil(bin_size), 0.0), limit + 1.0).to(tl.int32)
        samples = tl.where(samples > limit, 0, samples)
    else:
        samples: tl.constexpr = SAMPLING_RATIO
    return samples


@triton.jit
def sample_position(start, bin_size, bin, sample, samples):
    """Return a sample's index coordinate: the centre of its part of the bin."""
    within = tl.div_rn((sample + 0.5) * bin_size, samples * 1.0)
    return start + bin * bin_size + within


@triton.jit
def samples_near(start, bin_size, bin, samples, low, high, SAMPLING_RATIO: tl.constexpr):
    """Return the first sample of each bin that may lie from ``low`` to ``high``, and how many may.

    However long the box, a program goes through the samples near its cells and no others. Only
    adaptive sampling makes many samples; they lie at least half a cell apart.
    """
    if SAMPLING_RATIO == 0:
        step = tl.maximum(bin_size / tl.maximum(samples, 1), 1e-9)
        before = (low - start - bin * bin_size) / step
        first = tl.minimum(tl.maximum(tl.floor(before) - 2, 0.0), samples * 1.0).to(tl.int32)
        count = tl.minimum(tl.ceil((high - low) / step) + 5, samples * 1.0).to(tl.int32)
    else:
        first: tl.constexpr = 0
        count: tl.constexpr = SAMPLING_RATIO
    return first, count


@triton.jit
def neighbours(position, inside, size):
    """Return the cells below and above each position and its fraction of the way; outside: 0."""
    position = tl.minimum(tl.maximum(tl.where(inside, position, 0.0), 0.0), size - 1.0)
    low = tl.floor(position)
    fraction = position - low
    low = low.to(tl.int32)
    return low, tl.minimum(low + 1, size - 1), fraction


@triton.jit
def in_band(position, size):
    """Whether a sample counts: it lies at most one cell outside the centres of the map's cells."""
    return (position >= -1.0) & (position <= size)
