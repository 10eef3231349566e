"""Photographs of the book, and feature maps of three channels that are easy to read.

The channels are brightness, and its absolute change to the right and downwards, each averaged over
squares of ``stride`` pixels. The channels of a real backbone are hard to interpret.
"""

import numpy as np
from numpy.typing import ArrayLike


def photograph(name: str) -> np.ndarray:
    """Load a photograph that scikit-image carries, as (H, W, 3) values from 0 to 1.

    Parameters
    ----------
    name : a function of ``skimage.data`` that needs no download: ``"astronaut"``, ``"chelsea"``,
        ``"coffee"``, ``"rocket"``.
    """
    from skimage import data  # noqa: PLC0415 - only the notebooks need it

    return np.asarray(getattr(data, name)(), dtype=float) / 255


def feature_map(image: ArrayLike, stride: int) -> np.ndarray:
    """Three channels at ``stride``: brightness, its change to the right, its change downwards.

    Parameters
    ----------
    image : (H, W) or (H, W, 3) picture with values from 0 to 1.
    stride : side in pixels of the square that one cell averages; rows and columns that do not
        fill a square are left out.

    Returns
    -------
    (1, 3, H // stride, W // stride) array.

    Examples
    --------
    >>> feature_map(np.ones((32, 48)), 16).shape
    (1, 3, 2, 3)
    """
    grey = np.asarray(image, dtype=float)
    if grey.ndim == 3:
        grey = grey.mean(axis=2)
    across = np.abs(np.diff(grey, axis=1, append=grey[:, -1:]))
    down = np.abs(np.diff(grey, axis=0, append=grey[-1:]))
    channels = [_average(channel, stride) for channel in (grey, across, down)]
    return np.stack(channels)[None]


def _average(channel: np.ndarray, stride: int) -> np.ndarray:
    height, width = (side // stride for side in channel.shape)
    squares = channel[: height * stride, : width * stride]
    return squares.reshape(height, stride, width, stride).mean(axis=(1, 3))
