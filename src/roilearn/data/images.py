"""Image files as RGB, upright: what cameras and drawing programs write, made one kind."""

from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from PIL import Image
from torch import Tensor

ORIENTATION = 0x0112
"""EXIF's tag for the way a camera was held."""
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""What sets an image upright, for each value of the tag."""

SUFFIXES = (".bmp", ".gif", ".jpeg", ".jpg", ".png", ".ppm", ".tif", ".tiff", ".webp")
"""Endings by which an image in a folder is known."""


def image_files(path: str | Path) -> list[Path]:
    """List the images that a path leads to: those of a folder by name, or the file itself.

    Parameters
    ----------
    path : a file of any ending, or a folder, of which files with one of ``SUFFIXES`` count. Hidden
        files and folders inside do not.

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


def read_image(path: str | Path, upright: bool = True) -> Float[Tensor, "3 H W"]:
    """Read an image file as RGB, from 0 to 1.

    Parameters
    ----------
    path : a file that Pillow can read: RGB, grey of 8 or 16 bits, palette, CMYK, with or without
        transparency, which is dropped. Of an animation, as a GIF may be, the first frame is read.
    upright : turn it as EXIF's orientation says; False leaves it as it is stored.

    Raises
    ------
    OSError: no such file, or not an image, or one that ends early.
    ValueError: grey in floating point that is not finite everywhere.
    """
    with Image.open(path) as image:
        turn = TURNS.get(orientation(image)) if upright else None
        colours = as_rgb(image)
    if turn is not None:
        colours = colours.transpose(turn)
    pixels = torch.from_numpy(np.array(colours))
    return pixels.permute(2, 0, 1).float().div_(255).contiguous()


def as_rgb(image: Image.Image) -> Image.Image:
    """Convert an image of any mode to RGB of 8 bits."""
    if image.mode.startswith("I;16") or image.mode in ("I", "F"):
        values = np.asarray(image, float)
        check_pixels(values)
        most = 255 if image.mode == "F" else 65535
        scaled = (values * (255 / most)).clip(0, 255).round().astype(np.uint8)
        return Image.fromarray(scaled).convert("RGB")
    if image.mode in ("P", "PA"):
        image = image.convert("RGBA")  # straight to RGB, Pillow warns of transparency
    return image.convert("RGB")


def check_pixels(values: np.ndarray) -> None:
    """Raise unless every pixel of a grey image is a finite number, as a TIFF may fail to be."""
    bad = ~np.isfinite(values)
    if bad.any():
        row, column = np.argwhere(bad)[0]
        raise ValueError(
            f"pixels must be finite numbers; got {values[row, column]} in row {row}, column "
            f"{column}, one of {bad.sum()} such pixels. Give them a value before the file is used."
        )


def orientation(image: Image.Image) -> int:
    """EXIF's orientation, 1 to 8; 1, upright, if there is none or it cannot be read."""
    try:
        tag = image.getexif().get(ORIENTATION, 1)
    except Exception:  # noqa: BLE001  a camera's broken notes do not break the picture
        return 1
    return tag if tag in TURNS else 1
