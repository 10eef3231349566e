"""Deformable convolution: each cell of the window is read between the cells, at an offset."""

import numpy as np
from numpy.typing import ArrayLike

from roilearn.arguments import ConvolutionSizes, check_deform_conv, check_offset_values
from roilearn.reference.interpolation import bilinear


def deform_conv2d(
    input: ArrayLike,
    offset: ArrayLike,
    weight: ArrayLike,
    bias: ArrayLike | None = None,
    stride: int | tuple[int, int] = (1, 1),
    padding: int | tuple[int, int] = (0, 0),
    dilation: int | tuple[int, int] = (1, 1),
    mask: ArrayLike | None = None,
) -> np.ndarray:
    """Deformable convolution; with a mask, its second version.

    Cell (i, j) of the window at output (y, x) is read at row y * stride - padding + i * dilation +
    the first offset, and column x * stride - padding + j * dilation + the second, in index
    coordinates: the centre of the first cell is at 0. With all offsets 0 it is a convolution.

    Parameters
    ----------
    input : (N, C, H, W) features.
    offset : (N, 2 * G * KH * KW, OH, OW) offsets in cells, for each of G offset groups and each
        cell of the window, row by row: first down, then across. Group g belongs to the g-th part
        of the channels.
    weight : (D, C / groups, KH, KW) weights; their shape says how many groups there are.
    bias : (D,) numbers that are added.
    stride, padding, dilation : one number, or a pair (down, across).
    mask : (N, G * KH * KW, OH, OW) factors of what is read. None: 1 everywhere.

    Returns
    -------
    (N, D, OH, OW) array. Outside the map there are zeros: a position less than one cell outside is
    read as a mean of a cell and 0, and an infinite offset gives 0.

    Raises
    ------
    ValueError: shapes that do not fit together; a NaN in ``offset`` or ``mask``.
    TypeError: an array that is not floating point; a stride that is not a whole number.

    Source
    ------
    Dai et al., Deformable Convolutional Networks (2017), equations 2 to 4; the mask: Zhu et al.,
    Deformable ConvNets v2 (2018), equation 1. Names and layout as in torchvision 0.29.

    Examples
    --------
    A window of one cell is read one and a half rows below its place:

    >>> ramp = np.array([[[[0.0], [10.0], [20.0], [30.0]]]])
    >>> offset = np.stack([np.full((4, 1), 1.5), np.zeros((4, 1))])[None]
    >>> deform_conv2d(ramp, offset, np.ones((1, 1, 1, 1))).ravel()
    array([15., 25., 15.,  0.])
    """
    features, offset, weight = (np.asarray(array) for array in (input, offset, weight))
    bias, mask = (None if array is None else np.asarray(array) for array in (bias, mask))
    sizes = check_deform_conv(features, offset, weight, bias, mask, stride, padding, dilation)
    check_offset_values(offset, mask)
    if mask is None:
        mask = np.ones((len(offset), offset.shape[1] // 2, *sizes.output))
    outputs, channels = len(weight) // sizes.groups, weight.shape[1]  # of one group
    output = np.zeros((len(features), len(weight), *sizes.output), features.dtype)
    for n, y, x in np.ndindex(len(features), *sizes.output):
        window = deformed_window(features[n], offset[n, :, y, x], mask[n, :, y, x], sizes, y, x)
        for d in range(len(weight)):
            first = d // outputs * channels
            own = window[first : first + channels]  # [C / groups, KH, KW]
            output[n, d, y, x] = (weight[d] * own).sum()
    return output if bias is None else output + bias[:, None, None].astype(output.dtype)


def deformed_window(
    features: np.ndarray,
    offset: np.ndarray,
    mask: np.ndarray,
    sizes: ConvolutionSizes,
    y: int,
    x: int,
) -> np.ndarray:
    """Read the window of output (y, x): (C, KH, KW) values, each at its own offset.

    Parameters
    ----------
    features : (C, H, W) one image.
    offset, mask : (2 * G * KH * KW,) and (G * KH * KW,), those of this output.
    sizes : kernel, stride, padding, dilation and groups.
    """
    window = np.zeros((len(features), *sizes.kernel))
    share = len(features) // sizes.offset_groups
    corner = np.array([y, x]) * sizes.stride - sizes.padding
    for k, (g, i, j) in enumerate(np.ndindex(sizes.offset_groups, *sizes.kernel)):
        row, column = corner + np.array([i, j]) * sizes.dilation + offset[2 * k : 2 * k + 2]
        channels = slice(g * share, (g + 1) * share)
        window[channels, i, j] = mask[k] * read_with_zeros(features[channels], row, column)
    return window


def read_with_zeros(image: np.ndarray, row: float, column: float) -> np.ndarray:
    """Bilinear interpolation of a map that is surrounded by zeros.

    Parameters
    ----------
    image : (..., H, W) array; leading axes (channels) are read at the same position.
    row, column : index coordinates, infinite ones too.

    Examples
    --------
    A quarter of a cell above the first row, three quarters of the value are left:

    >>> float(read_with_zeros(np.array([[8.0]]), -0.25, 0.0))
    6.0
    """
    height, width = image.shape[-2:]
    border = [(0, 0)] * (image.ndim - 2) + [(1, 1), (1, 1)]
    row = min(max(row, -1), height)  # farther outside there are zeros too
    column = min(max(column, -1), width)
    return bilinear(np.pad(image, border), row + 1, column + 1)
