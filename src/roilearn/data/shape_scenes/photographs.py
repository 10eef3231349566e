"""Photographs and textures from scikit-image and scikit-learn, so nothing is downloaded.

There are two sets that share no file: one to train on and one, held out, to evaluate on.
"""

from functools import cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from PIL import Image

from roilearn.arguments import check_choice, check_output_size

PHOTOGRAPHS = {
    "train": (
        "skimage/data/astronaut.png",
        "skimage/data/camera.png",
        "skimage/data/coffee.png",
        "skimage/data/rocket.jpg",
        "sklearn/datasets/images/china.jpg",
    ),
    "held out": (
        "skimage/data/chelsea.png",
        "skimage/data/motorcycle_left.png",
        "sklearn/datasets/images/flower.jpg",
    ),
}
"""Coins, the moon and a retina are left out: each shows a disc that is not in the targets."""
TEXTURES = {
    "train": (
        "skimage/data/brick.png",
        "skimage/data/gravel.png",
        "skimage/data/hubble_deep_field.jpg",
    ),
    "held out": ("skimage/data/grass.png", "skimage/data/ihc.png"),
}


def open_packaged_image(name: str) -> Image.Image:
    """Open an image inside an installed package, without importing that package.

    Parameters
    ----------
    name : package and path, as in ``PHOTOGRAPHS``.

    Raises
    ------
    ImportError: the package is not installed.
    """
    package, _, path = name.partition("/")
    found = find_spec(package)
    if found is None or found.origin is None:
        raise ImportError(
            f"{name} comes with the package {package}, which is not installed. "
            "Install it with: pip install 'roilearn[train]'"
        )
    return Image.open(Path(found.origin).parent / path)


@cache
def load_photographs(split: str = "train") -> tuple[Image.Image, ...]:
    """Photographs of the set ``split``, a key of ``PHOTOGRAPHS``, as RGB images."""
    check_choice("split", split, tuple(PHOTOGRAPHS))
    return tuple(open_packaged_image(name).convert("RGB") for name in PHOTOGRAPHS[split])


@cache
def load_textures(split: str = "train") -> tuple[np.ndarray, ...]:
    """Textures of the set ``split``: (H, W) float32 maps of mean 0 and standard deviation 1."""
    check_choice("split", split, tuple(TEXTURES))
    grey = [
        np.asarray(open_packaged_image(name).convert("L"), np.float32) for name in TEXTURES[split]
    ]
    return tuple((values - values.mean()) / values.std() for values in grey)


def crop_photograph(
    random: np.random.Generator, size: int | tuple[int, int], split: str = "train"
) -> np.ndarray:
    """Cut a random window out of a random photograph and resize it.

    The window has the proportions of ``size``. Its scale is drawn log-uniformly between the
    photograph's own pixels and the largest window that fits; half of the crops are mirrored.

    Parameters
    ----------
    random : generator of all random choices.
    size : (height, width) of the crop in pixels, or the side of a square.
    split : a key of ``PHOTOGRAPHS``.

    Returns
    -------
    (height, width, 3) float32 array from 0 to 1.

    Examples
    --------
    >>> crop_photograph(np.random.default_rng(0), (48, 64)).shape
    (48, 64, 3)
    """
    height, width = check_output_size(size, name="size")
    choices = load_photographs(split)
    photograph = choices[random.integers(len(choices))]
    largest = min(photograph.width / width, photograph.height / height)
    scale = largest ** random.random() if largest > 1 else largest
    x = random.uniform(0, photograph.width - scale * width)
    y = random.uniform(0, photograph.height - scale * height)
    window = (x, y, x + scale * width, y + scale * height)
    crop = photograph.resize((width, height), Image.Resampling.BILINEAR, box=window)
    pixels = np.asarray(crop, np.float32) / 255
    return pixels[:, ::-1].copy() if random.random() < 0.5 else pixels


def crop_texture(
    random: np.random.Generator, size: tuple[int, int], split: str = "train"
) -> np.ndarray:
    """Cut a (height, width) window out of a random texture, which is repeated periodically."""
    choices = load_textures(split)
    texture = choices[random.integers(len(choices))]
    rows, columns = (
        (random.integers(side) + np.arange(length)) % side
        for side, length in zip(texture.shape, size, strict=True)
    )
    return texture[rows[:, None], columns]
