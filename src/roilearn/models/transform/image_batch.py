"""Images of different sizes in one tensor."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from roilearn.models.transform.resizing import Size, size_of


@dataclass
class ImageBatch:
    """Images in one tensor, each in the first corner, zeros beside and below it.

    Parameters
    ----------
    tensors : (N, 3, H, W); zero is the mean colour, once images are normalised.
    sizes : (height, width) of each image in it, without the zeros.
    """

    tensors: Float[Tensor, "N 3 H W"]
    sizes: list[Size]


def batch_images(
    images: Sequence[Float[Tensor, "3 _ _"]], divisor: int, memory_format: torch.memory_format
) -> ImageBatch:
    """Put images into a tensor of zeros that is large enough for each."""
    sizes = [size_of(image) for image in images]
    height, width = (math.ceil(max(side) / divisor) * divisor for side in zip(*sizes, strict=True))
    shape, like = (len(images), 3, height, width), images[0]
    tensors = torch.empty(
        shape, dtype=like.dtype, device=like.device, memory_format=memory_format
    ).zero_()
    for place, image, (rows, columns) in zip(tensors, images, sizes, strict=True):
        place[:, :rows, :columns] = image
    return ImageBatch(tensors, sizes)
