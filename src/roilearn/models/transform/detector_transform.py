"""Images of any size into one batch, and detections back into the images they came from."""

from collections.abc import Mapping, Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import interpolate

from roilearn.arguments import (
    check_choice,
    check_count,
    check_images,
    check_one_an_image,
    check_positive,
)
from roilearn.models.transform.image_batch import ImageBatch, batch_images
from roilearn.models.transform.input_checks import check_values
from roilearn.models.transform.resizing import (
    Size,
    resize_boxes,
    resize_keypoints,
    resize_masks,
    resized_size,
    size_of,
)
from roilearn.ops import PASTE_RULES, paste_masks_in_image

IMAGE_MEAN = (0.485, 0.456, 0.406)
"""Mean of red, green and blue over ImageNet, on which backbones are trained; values 0 to 1."""
IMAGE_STD = (0.229, 0.224, 0.225)
"""Their standard deviation."""
MASK_MODES = ("nearest", "nearest-exact")


class DetectorTransform(nn.Module):
    """Normalise colours, resize, and put images of different sizes into one batch.

    Parameters
    ----------
    min_size : length in pixels that the shorter side gets; of several, training draws one for each
        image, and prediction takes the last.
    max_size : the longer side gets no longer than that, even if the shorter one stays too short.
    mean, std : of each colour, taken off and divided by.
    size_divisor : height and width of the batch are multiples of it, so that every level of the
        pyramid has whole cells: the largest stride.
    paste : one of ``roilearn.ops.PASTE_RULES``, for the masks of detections.
    mask_mode : how true masks are resized, in ``torch.nn.functional.interpolate``. ``"nearest"``,
        torchvision's, reads the old pixel under the first corner of a new one; ``"nearest-exact"``
        that under its centre.
    memory_format : of the batch. With ``torch.channels_last`` a convolution finds the colours of a
        pixel side by side, and passes the order on.

    Raises
    ------
    ValueError, TypeError: see ``roilearn.arguments``.

    Source
    ------
    torchvision 0.27, ``GeneralizedRCNNTransform``: equal values, and the same random numbers.

    Examples
    --------
    >>> transform = DetectorTransform(min_size=48, max_size=80, size_divisor=32)
    >>> batch, _ = transform([torch.zeros(3, 60, 80), torch.zeros(3, 20, 40)])
    >>> batch.sizes, batch.tensors.shape
    ([(48, 64), (40, 80)], torch.Size([2, 3, 64, 96]))
    """

    def __init__(
        self,
        min_size: int | Sequence[int] = 800,
        max_size: int = 1333,
        mean: Sequence[float] = IMAGE_MEAN,
        std: Sequence[float] = IMAGE_STD,
        size_divisor: int = 32,
        *,
        paste: str = "torchvision",
        mask_mode: str = "nearest",
        memory_format: torch.memory_format = torch.channels_last,
    ) -> None:
        super().__init__()
        sizes = [min_size] if isinstance(min_size, int) else min_size
        self.min_sizes = [check_count("min_size", size) for size in sizes]
        self.max_size = check_count("max_size", max_size)
        self.mean = list(mean)
        self.std = list(check_positive("std", std))
        self.size_divisor = check_count("size_divisor", size_divisor)
        check_choice("paste", paste, PASTE_RULES)
        check_choice("mask_mode", mask_mode, MASK_MODES)
        self.paste = paste
        self.mask_mode = mask_mode
        self.memory_format = memory_format

    def forward(
        self,
        images: Sequence[Float[Tensor, "3 _ _"]],
        targets: Sequence[Mapping[str, Tensor]] | None = None,
    ) -> tuple[ImageBatch, list[dict[str, Tensor]] | None]:
        """Make a batch of images, and let what is known of them follow.

        Parameters
        ----------
        images : (3, H, W) each, values 0 to 1, sizes as they come.
        targets : a dictionary for each image, of which ``boxes``, ``masks`` and ``keypoints`` are
            resized with it. It is not changed.

        Returns
        -------
        The batch, and new targets; None without targets.

        Raises
        ------
        ValueError, TypeError: images that are none, or whose values, where they are read, lie more
            than 5 standard deviations from the mean: bytes, or an image normalised before.
        """
        check_images(images)
        check_values(images, self.mean, self.std)
        if targets is not None:
            check_one_an_image("targets", targets, len(images))
        resized = [self.resize(self.normalise(image), self.draw_size()) for image in images]
        batch = batch_images(resized, self.size_divisor, self.memory_format)
        if targets is None:
            return batch, None
        followed = [
            self.resize_target(target, size_of(image), size)
            for target, image, size in zip(targets, images, batch.sizes, strict=True)
        ]
        return batch, followed

    def normalise(self, image: Float[Tensor, "3 H W"]) -> Float[Tensor, "3 H W"]:
        """Give every colour mean 0 and standard deviation 1, on images like those it came from."""
        mean, std = image.new_tensor([self.mean, self.std])[:, :, None, None]  # [3, 1, 1] each
        return (image - mean) / std

    def draw_size(self) -> int:
        """Choose the length of the shorter side, at random in training."""
        if not self.training:
            return self.min_sizes[-1]
        # Drawn even where there is no choice, as in torchvision: what is drawn later depends on it.
        return self.min_sizes[int(torch.empty(1).uniform_(0, len(self.min_sizes)))]

    def resize(self, image: Float[Tensor, "3 _ _"], min_size: int) -> Float[Tensor, "3 _ _"]:
        """Bring the shorter side to ``min_size``, if the longer stays within ``max_size``."""
        size = resized_size(size_of(image), min_size, self.max_size)
        if size == size_of(image):
            return image
        return interpolate(image[None], size, mode="bilinear", align_corners=False)[0]

    def resize_target(
        self, target: Mapping[str, Tensor], old: Size, new: Size
    ) -> dict[str, Tensor]:
        """Bring boxes, masks and keypoints from the size of the image to that in the batch."""
        followed = dict(target)
        followed["boxes"] = resize_boxes(target["boxes"], old, new)
        if "masks" in target:
            followed["masks"] = resize_masks(target["masks"], new, self.mask_mode)
        if "keypoints" in target:
            followed["keypoints"] = resize_keypoints(target["keypoints"], old, new)
        return followed

    def undo(
        self, detections: Sequence[Mapping[str, Tensor]], sizes: Sequence[Size], to: Sequence[Size]
    ) -> list[dict[str, Tensor]]:
        """Bring detections from a batch to the images as they came.

        Parameters
        ----------
        detections : for each image: ``boxes`` in pixels of the batch; ``masks`` (n, 1, M, M), each
            over its box; ``keypoints``; and others, which stay as they are.
        sizes : ``ImageBatch.sizes``.
        to : (height, width) of the images as they came.

        Returns
        -------
        New dictionaries, ``boxes`` and ``keypoints`` in pixels of the images, ``masks`` pasted to
        (n, 1, height, width).
        """
        check_one_an_image("detections", detections, len(to))
        undone = []
        for found, old, new in zip(detections, sizes, to, strict=True):
            image = dict(found)
            image["boxes"] = resize_boxes(found["boxes"], old, new)
            if "masks" in found:
                where = (image["boxes"], new)
                image["masks"] = paste_masks_in_image(
                    found["masks"], *where, coordinates=self.paste
                )
            if "keypoints" in found:
                image["keypoints"] = resize_keypoints(found["keypoints"], old, new)
            undone.append(image)
        return undone

    def extra_repr(self) -> str:
        """Say the sizes, in the printed model."""
        return (
            f"min_size={self.min_sizes}, max_size={self.max_size}, "
            f"size_divisor={self.size_divisor}, paste={self.paste!r}"
        )
