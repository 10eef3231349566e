"""RoIPool's quantized boxes and bins: which whole cells each bin reads."""

import triton
import triton.language as tl

from roilearn.kernels.device.sampling import region


@triton.jit
def round_half_away(value):
    """Round halves away from zero, as C's ``round`` and RoIPool do."""
    whole = tl.where(value < 0, tl.ceil(value), tl.floor(value))
    away = tl.where(tl.abs(value - whole) >= 0.5, 1.0, 0.0)
    return whole + tl.where(value < 0, -away, away)


@triton.jit
def rounded_region(rois, box, mask, scale, images):
    """Return boxes in cells: image, first row, first column, height and width (1 at least)."""
    image, _, _, _, _ = region(rois, box, mask, scale, images, True)
    mask &= image >= 0
    row = rois + box * 5
    x0 = round_half_away(tl.load(row + 1, mask=mask, other=0.0) * scale)
    y0 = round_half_away(tl.load(row + 2, mask=mask, other=0.0) * scale)
    x1 = round_half_away(tl.load(row + 3, mask=mask, other=0.0) * scale)
    y1 = round_half_away(tl.load(row + 4, mask=mask, other=0.0) * scale)
    return image, y0, x0, tl.maximum(y1 - y0 + 1, 1.0), tl.maximum(x1 - x0 + 1, 1.0)


@triton.jit
def bin_cells(first, length, bin, size, BINS: tl.constexpr):
    """Return the first cell of each bin on one axis, and one past the last: rounded outwards."""
    bin_size = tl.div_rn(length, BINS * 1.0)
    start = first + tl.floor(bin * bin_size)
    stop = first + tl.ceil((bin + 1) * bin_size)
    start = tl.minimum(tl.maximum(start, 0.0), size * 1.0)
    stop = tl.minimum(tl.maximum(stop, 0.0), size * 1.0)
    return start.to(tl.int32), stop.to(tl.int32)
