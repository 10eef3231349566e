"""The feature pyramid as loops: maps of all resolutions, each with the context of the coarser ones.

Four steps: the backbone's maps (bottom-up), a 1 x 1 convolution of each (lateral), the sums from
the coarsest map to the finest (top-down), and a 3 x 3 convolution of each sum (smoothing).
"""

from collections.abc import Sequence

import numpy as np

from roilearn.arguments import check_array, check_levels
from roilearn.reference.residual_blocks import convolve


def enlarge_nearest(features: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Enlarge a map by repeating cells: each cell of the output copies the one that covers it.

    Parameters
    ----------
    features : (C, h, w) map.
    size : (H, W), rows and columns of the output.

    Returns
    -------
    (C, H, W) map. Row i copies row floor(i * h / H), and columns likewise.

    Source
    ------
    PyTorch's ``interpolate`` with ``mode="nearest"``.

    Examples
    --------
    >>> enlarge_nearest(np.array([[[4.0, 0]]]), (2, 4))
    array([[[4., 4., 0., 0.],
            [4., 4., 0., 0.]]])
    """
    check_array("features", features)
    channels, rows, columns = features.shape
    output = np.empty((channels, *size))
    for i, j in np.ndindex(*size):
        output[:, i, j] = features[:, i * rows // size[0], j * columns // size[1]]
    return output


def top_down(laterals: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Add to each map the sum of all coarser ones, enlarged.

    Parameters
    ----------
    laterals : (C, H, W) maps of equally many channels, finest first.

    Returns
    -------
    As many maps of the same sizes. The coarsest is unchanged.

    Raises
    ------
    ValueError: maps with different numbers of channels.

    Source
    ------
    Lin et al., Feature Pyramid Networks (2017), section 3.

    Examples
    --------
    >>> [finest, coarsest] = top_down([np.ones((1, 2, 2)), np.array([[[5.0]]])])
    >>> finest
    array([[[6., 6.],
            [6., 6.]]])
    """
    check_equal_channels(laterals)
    merged = [laterals[-1]]  # the coarsest, (C, H, W)
    for lateral in laterals[-2::-1]:  # from the top down
        enlarged = enlarge_nearest(merged[0], lateral.shape[1:])
        merged.insert(0, lateral + enlarged)
    return merged


def check_equal_channels(laterals: Sequence[np.ndarray]) -> None:
    """Raise unless all maps have the same number of channels."""
    check_levels(laterals=laterals)
    if len({len(level) for level in laterals}) > 1:
        channels = ", ".join(str(len(level)) for level in laterals)
        raise ValueError(
            f"laterals must have equally many channels to be added; got {channels}. A 1 x 1 "
            "convolution of each map gives them the same number."
        )


def feature_pyramid(
    maps: Sequence[np.ndarray],
    lateral_weights: Sequence[np.ndarray],
    smooth_weights: Sequence[np.ndarray],
) -> list[np.ndarray]:
    """Compute P2, P3, ... from C2, C3, ...

    Parameters
    ----------
    maps : of the backbone, finest first; (Ck, H, W) each, with its own number of channels.
    lateral_weights : (D, Ck, 1, 1) for each map.
    smooth_weights : (D, D, 3, 3) for each map.

    Returns
    -------
    (D, H, W) maps, finest first.

    Source
    ------
    Lin et al., Feature Pyramid Networks (2017), section 3; without biases.

    Examples
    --------
    >>> maps = [np.ones((2, 4, 6)), np.ones((3, 2, 3))]
    >>> laterals = [np.ones((5, 2, 1, 1)), np.ones((5, 3, 1, 1))]
    >>> pyramid = feature_pyramid(maps, laterals, [np.ones((5, 5, 3, 3))] * 2)
    >>> [level.shape for level in pyramid]
    [(5, 4, 6), (5, 2, 3)]
    """
    check_levels(maps=maps, lateral_weights=lateral_weights, smooth_weights=smooth_weights)
    laterals = [convolve(level, w) for level, w in zip(maps, lateral_weights, strict=True)]
    merged = top_down(laterals)  # (D, H, W) each
    return [convolve(level, w) for level, w in zip(merged, smooth_weights, strict=True)]
