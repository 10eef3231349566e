"""What to learn from and what to be measured on, which share no image."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from torch.utils.data import Subset
from torchvision.transforms import v2

from roilearn.data import CocoFolder, ShapeScenes, Transformed

HELD_OUT_SEED = 12345
"""Of the drawn scenes that measure. Their photographs are others as well, so no seed gives them."""
HELD_OUT_SHARE = 0.1
"""Of the images of a folder, where no other folder is given to measure."""


@dataclass(frozen=True)
class Material:
    """Items to learn from, items to be measured on, names of the classes from label 1 on."""

    learn: Any
    measure: Any
    names: tuple[str, ...]


def scenes(count: int, measured: int, seed: int) -> Material:
    """Drawn scenes; those that measure lie on photographs and textures that are never learned."""
    learn = ShapeScenes(count, seed=seed)
    measure = ShapeScenes(measured, seed=HELD_OUT_SEED, photographs="held out")
    return Material(learn, measure, learn.shapes)


def coco_material(coco: Path, validate: Path | None, seed: int) -> Material:
    """Images of a COCO file, half of them mirrored while learning.

    Parameters
    ----------
    coco, validate : a COCO file or a folder with one, see ``find_coco``. Without ``validate`` a
        tenth of the images, drawn by the seed, is held out.

    Raises
    ------
    FileNotFoundError, ValueError: see ``find_coco`` and ``CocoFolder``; annotations without
        segmentations; classes of the two that differ; a single image.
    """
    all_of_it = open_coco(coco)
    mirrored = Transformed(all_of_it, v2.RandomHorizontalFlip(0.5))
    if validate is not None:
        measure = open_coco(validate)
        if measure.names != all_of_it.names:
            raise ValueError(
                f"--validate must have the classes of --coco, in the same order of ids; got "
                f"{measure.names} and {all_of_it.names}."
            )
        return Material(mirrored, measure, all_of_it.names)
    if len(all_of_it) < 2:
        raise ValueError(
            f"--coco must have at least 2 images, one to learn from and one to measure; {coco} has "
            f"{len(all_of_it)}. Measure on other images with --validate."
        )
    order = np.random.default_rng(seed).permutation(len(all_of_it)).tolist()
    apart = max(1, round(HELD_OUT_SHARE * len(order)))
    learn, measure = Subset(mirrored, order[apart:]), Subset(all_of_it, order[:apart])
    return Material(learn, measure, all_of_it.names)


def open_coco(path: Path) -> CocoFolder:
    """Open a COCO file or a folder with one; raise unless its objects have outlines."""
    folder = CocoFolder(*find_coco(path))
    if not folder.masks:
        raise ValueError(
            f"annotations must have segmentations, since a Mask R-CNN learns masks; {path} has "
            "boxes alone."
        )
    return folder


def find_coco(path: Path) -> tuple[Path, Path]:
    """Find the folder of images and the annotations.

    Parameters
    ----------
    path : a COCO file, or a folder in which, or in whose ``annotations``, there is one and no other
        JSON. Names of images are relative to the folder ``images`` beside the file or beside
        ``annotations``, if there is one; else to that of the file.

    Raises
    ------
    FileNotFoundError: nothing there, or nothing that ends in ``.json``.
    ValueError: several files that might be meant.
    """
    found = [path]
    if path.is_dir():
        found = sorted(path.glob("*.json")) or sorted(path.glob("annotations/*.json"))
    if not path.exists() or not found:
        raise FileNotFoundError(
            f"--coco and --validate must be a COCO file, or a folder with annotations.json and a "
            f"folder of images; there is none at {path}."
        )
    if len(found) > 1:
        raise ValueError(
            f"--coco and --validate must name the file if there are several; in {path} there are "
            f"{', '.join(file.name for file in found)}."
        )
    parents = (found[0].parent, found[0].parent.parent)
    likely = parents if parents[0].name == "annotations" else parents[:1]
    images = next((p / "images" for p in likely if (p / "images").is_dir()), parents[0])
    return images, found[0]
