"""Image batches: images of different sizes, padded with zeros to one tensor."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from roilearn.models.transform.resizing import Size, size_of
from roilearn.ops.pooling.multi_scale_pooler import BatchShapes
from roilearn.ops.tracing import largest


@dataclass
class ImageBatch:
    """Images in one tensor, each at the top left, with zeros to the right and below.

    Parameters
    ----------
    tensors : (N, C, H, W); zero is the mean colour, once images are normalised.
    sizes : (height, width) of each image, without the padding. They are
        kept as ``BatchShapes``, with the padded size, so that poolers know the scale of each map.
    """

    tensors: Float[Tensor, "N C H W"]
    sizes: list[Size]

    def __post_init__(self) -> None:
        """Remember the padded size with the sizes of the images."""
        self.sizes = BatchShapes(self.sizes, (self.tensors.shape[-2], self.tensors.shape[-1]))


def batch_images(
    images: Sequence[Float[Tensor, "C _ _"]], divisor: int, memory_format: torch.memory_format
) -> ImageBatch:
    """Copy images into a tensor of zeros whose sides are multiples of ``divisor``."""
    sizes = [size_of(image) for image in images]
    height, width = (
        (largest(*side) + divisor - 1) // divisor * divisor for side in zip(*sizes, strict=True)
    )
    shape, like = (len(images), images[0].shape[0], height, width), images[0]
    tensors = torch.empty(
        shape, dtype=like.dtype, device=like.device, memory_format=memory_format
    ).zero_()
    for number, (image, (rows, columns)) in enumerate(zip(images, sizes, strict=True)):
        tensors[number, :, :rows, :columns] = image  # an image's gradient passes through
    return ImageBatch(tensors, sizes)
