"""Argument checks of the images of a batch, and of their heights and widths."""

from typing import Any

from roilearn.arguments.arrays import check_tensor
from roilearn.arguments.lists import counted, is_list
from roilearn.arguments.pooling import check_output_size
from roilearn.arguments.scalars import check_count


def check_images(images: Any, channels: int | None = 3) -> None:
    """Raise unless ``images`` is a list of floating images that are not empty.

    Parameters
    ----------
    channels : number of channels of each image. None: as many as the first image has.
    """
    count = "C" if channels is None else channels
    if not is_list(images):
        raise TypeError(
            f"images must be a list of ({count}, H, W) tensors, or one tensor (N, {count}, H, W); "
            f"got {type(images).__name__}. For one image pass [image]."
        )
    if not images:
        raise ValueError("images must hold at least one image; got none.")
    for position, image in enumerate(images):
        name = f"images[{position}]"
        check_tensor(name, image)
        if image.ndim == 3 and channels is None:
            count = channels = image.shape[0]
        if image.ndim != 3 or image.shape[0] != channels or 0 in image.shape:
            raise ValueError(
                f"{name} must have shape ({count}, H, W), at least one row and one column; got "
                f"shape {tuple(image.shape)}. {channel_advice(image, count)}"
            )
        if "float" not in str(image.dtype):
            raise TypeError(
                f"{name} must be floating point, values from 0 to 1; got {image.dtype}. "
                "From bytes pass image / 255."
            )


def channel_advice(image: Any, count: Any) -> str:
    """Say what to do about an image of another shape than (count, H, W)."""
    if image.ndim == 3 and image.shape[-1] == count:
        return f"Colours come first: from (H, W, {count}) pass image.permute(2, 0, 1)."
    if image.ndim == 3:
        return (
            "A detector of images with another number of channels has as many entries in "
            "image_mean and image_std, and a backbone for them; image.expand(3, -1, -1) makes a "
            "colour image of a grey one."
        )
    return "From (H, W) pass image[None]." if image.ndim == 2 else "A list holds single images."


def check_fixed_size(fixed_size: Any) -> tuple[int, int]:
    """Return ``fixed_size`` as (width, height); raise unless both are whole and positive."""
    if not is_list(fixed_size) or len(fixed_size) != 2:
        raise ValueError(
            f"fixed_size must be a pair (width, height) in pixels; got {fixed_size!r}."
        )
    width, height = (check_count("fixed_size", side) for side in fixed_size)
    return width, height


def check_pixel_values(
    name: str, image: Any, limits: tuple[float, float], least: float, share: float
) -> None:
    """Raise for an image of bytes, or one that is normalised already, and for NaN.

    Parameters
    ----------
    limits : minimum and maximum that values may have.
    least, share : maximum fraction of the values that may lie below ``least``.
    """
    low, high = float(image.min()), float(image.max())
    outside = not (low >= limits[0] and high <= limits[1])
    if outside or (low < least and float((image < least).float().mean()) > share):
        raise ValueError(
            f"{name} must hold values from 0 to 1, or such as the transform's mean and std are "
            f"for: none below {limits[0]:.3g} or above {limits[1]:.3g}, and at most {share:.0%} "
            f"below {least:.3g}; got {low:g} to {high:g}. From bytes pass image / 255; an image "
            "that is normalised already would be normalised twice, unless the detector has "
            "image_mean=[0] and image_std=[1], with which nothing is normalised."
        )


def check_same_dtype(name: str, image: Any, dtype: Any) -> None:
    """Raise unless an image has the dtype of the model."""
    if image.dtype != dtype:
        raise TypeError(
            f"{name} must be of the model's type, {dtype}; got {image.dtype}. Pass "
            f"image.to({dtype}), or compute in less than float32 under torch.autocast."
        )


def check_image_shapes(image_shapes: Any, images: int) -> list[tuple[int, int]]:
    """Return (height, width) of each image; raise unless there is one for each of ``images``."""
    if not is_list(image_shapes) or len(image_shapes) != images:
        came = len(image_shapes) if is_list(image_shapes) else type(image_shapes).__name__
        raise ValueError(
            f"image_shapes must give (height, width) of each of {counted(images, 'image')} in a "
            f"list; got {came}."
        )
    for number, shape in enumerate(image_shapes):
        if not is_list(shape):
            raise TypeError(
                f"image_shapes[{number}] must be a pair (height, width); got {shape!r}. "
                "For one image pass [(height, width)]."
            )
    return [
        check_output_size(shape, f"image_shapes[{number}]")
        for number, shape in enumerate(image_shapes)
    ]
