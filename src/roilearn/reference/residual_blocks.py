"""Residual blocks as loops: a convolution, a branch of several, and what the shortcut adds to it.

The normalisations of a real block are left out here: they change the size of the values, and no
value reaches another cell through them. ``roilearn.models`` has the blocks with them, in PyTorch.
"""

from itertools import product

import numpy as np

from roilearn.arguments import check_array, check_count


def convolve(features: np.ndarray, weights: np.ndarray, stride: int = 1) -> np.ndarray:
    """Convolve one map: each cell of the output is a weighted sum of a window of cells.

    Zeros stand around the map, so that at stride 1 the output is as large as the input.

    Parameters
    ----------
    features : (C, H, W) map.
    weights : (D, C, q, q), for each of D output channels the weights of a q x q window; q is odd.
    stride : rows and columns from one window to the next.

    Returns
    -------
    (D, ceil(H / stride), ceil(W / stride)) map.

    Raises
    ------
    ValueError: other numbers of dimensions or channels; a window that is not square, or even.

    Differs from
    ------------
    Textbooks of signal processing: there, a convolution mirrors its weights. Here, as in PyTorch,
    the first weight belongs to the first cell of the window.

    Examples
    --------
    A row of two cells. The window reads the cell before and the cell itself:

    >>> window = np.array([[[[0.0, 0, 0], [-1, 1, 0], [0, 0, 0]]]])
    >>> convolve(np.array([[[2.0, 1]]]), window)
    array([[[ 2., -1.]]])
    """
    check_convolution(features, weights, stride)
    size = weights.shape[-1]
    padded = np.pad(features, [(0, 0), (size // 2, size // 2), (size // 2, size // 2)])
    rows = range(0, features.shape[1], stride)
    columns = range(0, features.shape[2], stride)
    output = np.zeros((len(weights), len(rows), len(columns)))  # [D, H / stride, W / stride]
    for (i, row), (j, column) in product(enumerate(rows), enumerate(columns)):
        window = padded[:, row : row + size, column : column + size]  # [C, q, q]
        output[:, i, j] = (weights * window).sum(axis=(1, 2, 3))
    return output


def check_convolution(features: np.ndarray, weights: np.ndarray, stride: int) -> None:
    """Raise unless a map, weights and a stride fit together."""
    check_array("features", features)
    check_array("weights", weights)
    check_count("stride", stride)
    if features.ndim != 3:
        raise ValueError(
            f"features must have 3 dimensions (C, H, W); got shape {features.shape}. "
            "For one image of a batch pass features[0]."
        )
    size = weights.shape[-1]
    if weights.ndim != 4 or weights.shape[1:] != (len(features), size, size) or size % 2 == 0:
        raise ValueError(
            f"weights must have the shape (D, {len(features)}, q, q) with an odd q, for a map of "
            f"{len(features)} channels; got {weights.shape}."
        )


def relu(features: np.ndarray) -> np.ndarray:
    """Replace values below 0 by 0.

    Examples
    --------
    >>> relu(np.array([-1.0, 2]))
    array([0., 2.])
    """
    return np.maximum(features, 0)


def residual_branch(features: np.ndarray, *weights: np.ndarray, stride: int = 1) -> np.ndarray:
    """Apply several convolutions, with a ReLU between two of them and none after the last.

    Parameters
    ----------
    features : (C, H, W) map.
    weights : of each convolution.
    stride : of the first convolution; the others have stride 1.

    Examples
    --------
    >>> one = np.ones((1, 1, 1, 1))
    >>> residual_branch(np.array([[[2.0, 1]]]), one, -one)
    array([[[-2., -1.]]])
    """
    first, *others = weights
    features = convolve(features, first, stride)
    for each in others:
        features = convolve(relu(features), each)
    return features


def identity_block(features: np.ndarray, *weights: np.ndarray) -> np.ndarray:
    """Compute relu(features + branch): input and output have the same shape.

    Parameters
    ----------
    features : (C, H, W) map.
    weights : of each convolution of the branch. The last gives C channels.

    Raises
    ------
    ValueError: a branch with another number of output channels.

    Source
    ------
    He et al., Deep Residual Learning (2015), equation 1.

    Examples
    --------
    A branch of zeros leaves the input as it is, but for the ReLU:

    >>> identity_block(np.array([[[-2.0, 3]]]), np.zeros((1, 1, 3, 3)))
    array([[[0., 3.]]])
    """
    check_array("features", features)
    branch = residual_branch(features, *weights)
    if branch.shape != features.shape:
        raise ValueError(
            f"an identity block keeps the shape; its branch turned {features.shape} into "
            f"{branch.shape}. Use convolution_block, whose shortcut changes the shape too."
        )
    return relu(features + branch)


def convolution_block(
    features: np.ndarray, *weights: np.ndarray, project: np.ndarray, stride: int = 1
) -> np.ndarray:
    """Compute relu(project(features) + branch): a 1 x 1 convolution gives the input a new shape.

    Parameters
    ----------
    features : (C, H, W) map.
    weights : of each convolution of the branch; the first has the stride.
    project : (D, C, 1, 1), weights of the shortcut, which has the same stride.

    Source
    ------
    He et al., Deep Residual Learning (2015), equation 2.

    Examples
    --------
    >>> features, narrow = np.ones((2, 5, 7)), np.ones((4, 2, 3, 3))
    >>> convolution_block(features, narrow, project=np.ones((4, 2, 1, 1)), stride=2).shape
    (4, 3, 4)
    """
    shortcut = convolve(features, project, stride)
    return relu(shortcut + residual_branch(features, *weights, stride=stride))
