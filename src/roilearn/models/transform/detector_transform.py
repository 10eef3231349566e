"""The detector's transform: images to a normalised batch, and detections back to the images."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import interpolate

from roilearn.arguments import (
    check_choice,
    check_count,
    check_fixed_size,
    check_images,
    check_one_per_image,
    check_positive,
)
from roilearn.models.settings import GuardedModule
from roilearn.models.transform.image_batch import ImageBatch, batch_images
from roilearn.models.transform.input_checks import (
    as_image_list,
    channels_of,
    check_image_values,
)
from roilearn.models.transform.resizing import (
    Size,
    resize_boxes,
    resize_keypoints,
    resize_masks,
    resized_size,
    size_of,
)
from roilearn.ops import PASTE_RULES, paste_masks_in_image
from roilearn.ops.tracing import is_tracing

IMAGE_MEAN = (0.485, 0.456, 0.406)
"""Mean of red, green and blue over ImageNet, on which backbones are trained; values 0 to 1."""
IMAGE_STD = (0.229, 0.224, 0.225)
"""Their standard deviation."""
MASK_MODES = ("nearest", "nearest-exact")


class DetectorTransform(GuardedModule):
    """Normalise colours, resize, and pad images of different sizes to one batch.

    Parameters
    ----------
    min_size : length of the shorter side after resizing, in pixels. Of several, training takes one
        at random for each image, and prediction takes the last.
    max_size : maximum length of the longer side after resizing; it has priority over ``min_size``.
    image_mean, image_std : of each colour channel, subtracted and divided by. Images have as many
        channels as there are entries; with a single one, any number. Means of 0 and deviations of 1
        leave the values as they are, whatever they are.
    size_divisible : height and width of the batch are multiples of it, so that every level of the
        pyramid has whole cells. It is the largest stride.
    fixed_size : (width, height) of every image after resizing, whatever its shape, instead of
        ``min_size`` and ``max_size``. None: these hold.
    paste : one of ``roilearn.ops.PASTE_RULES``, for the masks of detections.
    mask_mode : mode of ``torch.nn.functional.interpolate`` for ground-truth masks. ``"nearest"``,
        torchvision's, reads the old pixel at the top left corner of a new one; ``"nearest-exact"``
        the one at its centre.
    memory_format : of the batch. With ``torch.channels_last`` the colours of a pixel lie side by
        side in memory, and convolutions keep that order.

    All of them can be set later as attributes, ``min_size`` as a tuple.

    Raises
    ------
    ValueError, TypeError: see ``roilearn.arguments``.

    Source
    ------
    torchvision 0.29, ``GeneralizedRCNNTransform``: equal values, and the same random numbers.

    Examples
    --------
    >>> transform = DetectorTransform(min_size=48, max_size=80, size_divisible=32)
    >>> batch, _ = transform([torch.zeros(3, 60, 80), torch.zeros(3, 20, 40)])
    >>> batch.sizes, batch.tensors.shape
    ([(48, 64), (40, 80)], torch.Size([2, 3, 64, 96]))
    """

    set_elsewhere: ClassVar[Mapping[str, str]] = {
        "normalize": "Set image_mean and image_std, or assign a function to normalise.",
        "torch_choice": "Assign a function without arguments to choose_min_size.",
        "_skip_resize": "Resize the images, and set min_size and max_size to their sides.",
        **dict.fromkeys(
            ("_onnx_batch_images", "batch_images", "max_by_axis"),
            "Override forward in a class of your own.",
        ),
    }

    def __init__(
        self,
        min_size: int | Sequence[int] = 800,
        max_size: int = 1333,
        image_mean: Sequence[float] = IMAGE_MEAN,
        image_std: Sequence[float] = IMAGE_STD,
        size_divisible: int = 32,
        *,
        fixed_size: tuple[int, int] | None = None,
        paste: str = "torchvision",
        mask_mode: str = "nearest",
        memory_format: torch.memory_format = torch.channels_last,
    ) -> None:
        super().__init__()
        sizes = [min_size] if isinstance(min_size, int) else min_size
        self.min_size = tuple(check_count("min_size", size) for size in sizes)
        self.max_size = check_count("max_size", max_size)
        self.image_mean = list(image_mean)
        self.image_std = list(check_positive("image_std", image_std))
        self.size_divisible = check_count("size_divisible", size_divisible)
        self.fixed_size = None if fixed_size is None else check_fixed_size(fixed_size)
        check_choice("paste", paste, PASTE_RULES)
        check_choice("mask_mode", mask_mode, MASK_MODES)
        self.paste = paste
        self.mask_mode = mask_mode
        self.memory_format = memory_format

    def forward(
        self,
        images: Sequence[Float[Tensor, "C _ _"]] | Float[Tensor, "N C H W"],
        targets: Sequence[Mapping[str, Tensor]] | None = None,
    ) -> tuple[ImageBatch, list[dict[str, Tensor]] | None]:
        """Make a batch of images, and transform their targets likewise.

        Parameters
        ----------
        images : (C, H, W) each, values 0 to 1, sizes as they come; or one tensor (N, C, H, W).
        targets : a dictionary for each image, of which ``boxes``, ``masks`` and ``keypoints`` are
            resized with it. The dictionaries are not modified.

        Returns
        -------
        The batch, and new targets; None without targets.

        Raises
        ------
        ValueError, TypeError: something that is not an image; values, where they are checked, such
            as bytes or an image that is normalised already have.
        """
        images = as_image_list(images)
        check_images(images, channels_of(self.image_mean))
        check_image_values(images, self.image_mean, self.image_std)
        if targets is not None:
            check_one_per_image("targets", targets, len(images))
        resized = [self.resize(self.normalise(image), self.choose_min_size()) for image in images]
        batch = batch_images(resized, self.size_divisible, self.memory_format)
        if targets is None:
            return batch, None
        resized_targets = [
            self.resize_target(target, size_of(image), size)
            for target, image, size in zip(targets, images, batch.sizes, strict=True)
        ]
        return batch, resized_targets

    def normalise(self, image: Float[Tensor, "C H W"]) -> Float[Tensor, "C H W"]:
        """Subtract the mean of each colour channel and divide by its standard deviation."""
        mean, std = image.new_tensor([self.image_mean, self.image_std])[
            :, :, None, None
        ]  # [C, 1, 1] each
        return (image - mean) / std

    def choose_min_size(self) -> int:
        """Choose the length of the shorter side; in training at random."""
        if not self.training:
            return self.min_size[-1]
        # A random number is used even if there is one size, as in torchvision, for later draws.
        return self.min_size[int(torch.empty(1).uniform_(0, len(self.min_size)))]

    def resize(self, image: Float[Tensor, "C _ _"], min_size: int) -> Float[Tensor, "C _ _"]:
        """Resize an image to ``fixed_size`` or, without one, as ``resized_size`` says."""
        if self.fixed_size is None:
            size = resized_size(size_of(image), min_size, self.max_size)
        else:
            width, height = self.fixed_size
            size = (height, width)
        if not is_tracing() and size == size_of(image):
            return image
        return interpolate(image[None], size, mode="bilinear", align_corners=False)[0]

    def resize_target(
        self, target: Mapping[str, Tensor], old: Size, new: Size
    ) -> dict[str, Tensor]:
        """Resize boxes, masks and keypoints from the size of the image to that in the batch."""
        resized = dict(target)
        resized["boxes"] = resize_boxes(target["boxes"], old, new)
        if "masks" in target:
            resized["masks"] = resize_masks(target["masks"], new, self.mask_mode)
        if "keypoints" in target:
            resized["keypoints"] = resize_keypoints(target["keypoints"], old, new)
        return resized

    def postprocess(
        self, detections: Sequence[Mapping[str, Tensor]], sizes: Sequence[Size], to: Sequence[Size]
    ) -> list[dict[str, Tensor]]:
        """Transform detections from the batch to the original images.

        Parameters
        ----------
        detections : for each image: ``boxes`` in pixels of the batch; ``masks`` (n, 1, M, M), each
            over its box; ``keypoints``; and others, which stay as they are.
        sizes : ``ImageBatch.sizes``.
        to : (height, width) of the original images.

        Returns
        -------
        New dictionaries: ``boxes`` and ``keypoints`` in pixels of the original images, ``masks``
        pasted to (n, 1, height, width).
        """
        check_one_per_image("detections", detections, len(to))
        results = []
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
            results.append(image)
        return results

    def __getstate__(self) -> dict[str, Any]:
        """Give the attributes to ``copy`` and ``pickle``, the memory format by its name.

        PyTorch's pickle has no form for a ``torch.memory_format``.
        """
        return {**self.__dict__, "memory_format": str(self.memory_format)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Take the attributes back."""
        name = state["memory_format"].removeprefix("torch.")
        super().__setstate__({"fixed_size": None, **state, "memory_format": getattr(torch, name)})

    def extra_repr(self) -> str:
        """Show the sizes in the printed model."""
        return (
            f"min_size={list(self.min_size)}, max_size={self.max_size}, "
            f"size_divisible={self.size_divisible}, paste={self.paste!r}"
        )
