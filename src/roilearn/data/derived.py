"""A data set whose targets get further entries, computed from the image and its target."""

from collections.abc import Callable
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.utils.data import Dataset

Target = dict[str, Any]


class DerivedTargets(Dataset):
    """The items of a data set with more in their targets.

    Parameters
    ----------
    items : data set of images and targets, such as ``ShapeScenes``.
    functions : by the name of a new entry, a function of an image and its target.

    Examples
    --------
    >>> from roilearn.data import ShapeScenes
    >>> scenes = DerivedTargets(ShapeScenes(1), attributes=mean_colours, keypoints=extreme_points)
    >>> _, target = scenes[0]
    >>> target["attributes"].shape[1:], target["keypoints"].shape[1:]
    (torch.Size([3]), torch.Size([4, 3]))
    """

    def __init__(self, items: Any, **functions: Callable[[Tensor, Target], Tensor]) -> None:
        self.items, self.functions = items, functions

    def __len__(self) -> int:
        """Count the items."""
        return len(self.items)

    def __getitem__(self, index: int) -> tuple[Tensor, Target]:
        """Load item ``index`` and compute the new entries."""
        image, target = self.items[index]
        found = {name: make(image, target) for name, make in self.functions.items()}
        return image, target | found


def mean_colours(image: Float[Tensor, "3 H W"], target: Target) -> Float[Tensor, "n 3"]:
    """Compute the mean red, green and blue, from 0 to 1, of the visible pixels of each object."""
    masks = target["masks"].to(image.dtype)  # [n, H, W]
    return torch.einsum("nhw,chw->nc", masks, image) / masks.sum((1, 2))[:, None].clamp(min=1)


def box_fill(image: Float[Tensor, "3 H W"], target: Target) -> Float[Tensor, "n 1"]:
    """Compute the fraction of its box that the visible pixels of each object cover."""
    pixels = target["masks"].to(image.dtype).sum((1, 2))
    x1, y1, x2, y2 = target["boxes"].unbind(1)
    return (pixels / ((x2 - x1) * (y2 - y1)))[:, None]


def extreme_points(image: Float[Tensor, "3 H W"], target: Target) -> Float[Tensor, "n 4 3"]:
    """Find the centre of each object's highest, rightmost, lowest and leftmost visible pixel.

    Returns
    -------
    (n, 4, 3) x, y in image pixels, and 1. Of several such pixels the middle one counts. An object
    of which nothing is visible has zeros, which no loss counts.
    """
    del image
    found = []
    for mask in target["masks"]:
        if not mask.any():
            found.append(torch.zeros(4, 3))
            continue
        rows, columns = mask.nonzero(as_tuple=True)  # in reading order
        ends = (rows.min() == rows, columns.max() == columns)
        ends = (*ends, rows.max() == rows, columns.min() == columns)
        chosen = [end.nonzero()[:, 0] for end in ends]
        places = torch.stack([which[len(which) // 2] for which in chosen])  # [4]
        xy = torch.stack([columns[places], rows[places]], 1) + 0.5
        found.append(torch.cat([xy, torch.ones(4, 1)], 1))
    return torch.stack(found) if found else torch.zeros(0, 4, 3)
