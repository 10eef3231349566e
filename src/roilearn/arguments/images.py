"""Argument checks of the images of a batch, and of their heights and widths."""

from typing import Any

from roilearn.arguments.arrays import check_tensor
from roilearn.arguments.lists import counted, is_list
from roilearn.arguments.pooling import check_output_size


def check_images(images: Any) -> None:
    """Raise unless ``images`` is a list of floating (3, H, W) images that are not empty."""
    if not is_list(images):
        raise TypeError(
            f"images must be a list of (3, H, W) tensors; got {type(images).__name__}. For one "
            "image pass [image], from a batch list(images)."
        )
    if not images:
        raise ValueError("images must hold at least one image; got none.")
    for position, image in enumerate(images):
        name = f"images[{position}]"
        check_tensor(name, image)
        if image.ndim != 3 or image.shape[0] != 3 or 0 in image.shape:
            raise ValueError(
                f"{name} must have shape (3, H, W), at least one row and one column; got shape "
                f"{tuple(image.shape)}. Colours come first: from (H, W, 3) pass "
                "image.permute(2, 0, 1)."
            )
        if "float" not in str(image.dtype):
            raise TypeError(
                f"{name} must be floating point, values from 0 to 1; got {image.dtype}. "
                "From bytes pass image / 255."
            )


def check_pixel_values(name: str, image: Any, least: float, most: float) -> None:
    """Raise unless all values of an image lie from ``least`` to ``most``; NaN does not."""
    low, high = float(image.min()), float(image.max())
    if not (low >= least and high <= most):
        raise ValueError(
            f"{name} must hold values from 0 to 1, or such as the transform's mean and std are "
            f"for, {least:.3g} to {most:.3g} at the very most; got {low:g} to {high:g}. From bytes "
            "pass image / 255; an image that is normalised already would be normalised twice."
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
