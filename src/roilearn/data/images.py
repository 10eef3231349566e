"""Image files: finding them, and reading them as upright RGB tensors."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from PIL import Image
from torch import Tensor

ORIENTATION = 0x0112
"""EXIF's tag of the orientation."""
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""Transposition that turns an image upright, for each value of the tag."""

SUFFIXES = (".bmp", ".gif", ".jpeg", ".jpg", ".png", ".ppm", ".tif", ".tiff", ".webp")
"""Endings of the files in a folder that are read as images."""

WHITES = (255.0, 4095.0, 65535.0)
"""White in 8, 12 and 16 bits."""
MAX_CONSTANT = 3
"""Largest difference of two pixels of a nearly constant image, of 255, in each colour."""


def image_files(path: str | Path) -> list[Path]:
    """List the image files at a path: those in a folder, sorted by name, or the file itself.

    Parameters
    ----------
    path : a file with any ending, or a folder, in which files that end in one of ``SUFFIXES`` are
        listed. Hidden files and sub-folders are not.

    Raises
    ------
    FileNotFoundError: no such file or folder, or a folder without an image.
    """
    path = Path(path)
    if path.is_file():
        return [path]
    if not path.is_dir():
        raise FileNotFoundError(f"{path}: there is no such file or folder.")
    files = sorted(
        file
        for file in path.iterdir()
        if file.suffix.lower() in SUFFIXES and not file.name.startswith(".") and file.is_file()
    )
    if not files:
        raise FileNotFoundError(f"{path}: no file in this folder ends in {', '.join(SUFFIXES)}.")
    return files


def read_image(path: str | Path, upright: bool = True, shrink: int = 1) -> Float[Tensor, "3 H W"]:
    """Read an image file as an RGB tensor from 0 to 1.

    Parameters
    ----------
    path : a file that Pillow can read: RGB, grey of 8 to 32 bits or in floating point, palette,
        CMYK, with or without transparency, which is dropped. Of an animation, as a GIF may be, the
        first frame is read. For what is white in grey of more than 8 bits see ``white_value``.
    upright : turn it by its EXIF orientation; False leaves it as it is stored.
    shrink : power of two by which both sides are divided, rounded up; each pixel is then the mean
        of those that it covers. A JPEG is decoded at that size, which is many times as fast.

    Raises
    ------
    OSError: no such file, or not an image, or a truncated one.
    ValueError: a grey image in floating point with values that are not finite.
    """
    with Image.open(path) as image:
        turn = TURNS.get(orientation(image)) if upright else None
        whole = image.size
        if shrink > 1:
            image.draft("RGB", (-(-whole[0] // shrink), -(-whole[1] // shrink)))
        colours = as_rgb(image)
    if (left := shrink // round(whole[0] / colours.width)) > 1:
        colours = colours.reduce(left)
    if turn is not None:
        colours = colours.transpose(turn)
    pixels = torch.from_numpy(np.array(colours))
    return pixels.permute(2, 0, 1).float().div_(255).contiguous()


def as_rgb(image: Image.Image) -> Image.Image:
    """Convert an image of any mode to 8-bit RGB; see ``white_value`` for grey of more bits."""
    if image.mode.startswith("I;16") or image.mode in ("I", "F"):
        values = np.asarray(image, float)
        check_pixels(values)
        scale = 255 / white_value(values.max(), image.mode)
        scaled = (values * scale).clip(0, 255).round().astype(np.uint8)
        return Image.fromarray(scaled).convert("RGB")
    if image.mode in ("P", "PA"):
        image = image.convert("RGBA")  # converted directly to RGB, Pillow warns about transparency
    return image.convert("RGB")


def white_value(largest: float, mode: str) -> float:
    """Choose the value that is white in a grey image of more than 8 bits.

    Files do not say it: cameras write 12 bits into 16, and programs write 0 to 1, 0 to 255 or 0 to
    65535 as floating point. It is the smallest of the usual ones that no pixel exceeds.

    Parameters
    ----------
    largest : largest pixel value.
    mode : Pillow's: ``"F"`` for floating point, otherwise integers.

    Examples
    --------
    >>> white_value(0.7, "F"), white_value(200, "I"), white_value(3000, "I;16")
    (1.0, 255.0, 4095.0)
    """
    usual = (1.0, *WHITES) if mode == "F" else WHITES
    return next((white for white in usual if largest <= white), float(largest))


def is_nearly_constant(image: Image.Image) -> bool:
    """Whether all pixels of an image are of nearly one colour, such as black."""
    extrema: Any = as_rgb(image).getextrema()
    return all(most - least <= MAX_CONSTANT for least, most in extrema)


def check_pixels(values: np.ndarray) -> None:
    """Raise unless every pixel of a grey image is finite, which a TIFF does not guarantee."""
    bad = ~np.isfinite(values)
    if bad.any():
        row, column = np.argwhere(bad)[0]
        raise ValueError(
            f"pixels must be finite numbers; got {values[row, column]} in row {row}, column "
            f"{column}, one of {bad.sum()} such pixels. Give them a value before the file is used."
        )


def orientation(image: Image.Image) -> int:
    """Return the EXIF orientation, 1 to 8; 1, upright, if there is none or it cannot be read."""
    try:
        tag = image.getexif().get(ORIENTATION, 1)
    except Exception:  # noqa: BLE001  broken EXIF data do not break the image
        return 1
    return tag if tag in TURNS else 1
