"""The validation split: which images a model is trained on, and on which others it is evaluated."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from torch.utils.data import Subset
from torchvision.transforms import v2

from roilearn.arguments import check_between
from roilearn.data import CocoFolder, ShapeScenes, Transformed

VALIDATION_SCENES = 200
"""Default number of drawn scenes to validate on."""
VALIDATION_SEED = 12345
"""Seed of the drawn scenes to validate on. Their photographs differ from those to train on as well,
so no seed of the training scenes gives the same images."""
VALIDATION_FRACTION = 0.1
"""Fraction of a COCO file's images to validate on, if no other file is given for it."""
MAX_SCENES = 10_000_000
"""Maximum number of scenes: their order is drawn for every epoch and kept in memory."""


@dataclass(frozen=True)
class DatasetSplits:
    """The data set to train on and the one to validate on, which share no image.

    Attributes
    ----------
    train, validation : data sets.
    class_names : class names, from label 1 on.
    source : where the data come from, as it is written into checkpoints.
    validation_images : file names of the images that were split off to validate on, if any were.
    """

    train: Any
    validation: Any
    class_names: tuple[str, ...]
    source: dict[str, str]
    validation_images: Sequence[str] = field(default=())

    def __str__(self) -> str:
        """Say how many images each has, and name the first that were split off."""
        names = ", ".join(self.validation_images[:3])
        more = ", ..." if len(self.validation_images) > 3 else ""
        listed = f": {names}{more}" if names else ""
        return (
            f"{len(self.train)} images to train on, {len(self.validation)} to validate on{listed}"
        )


def scene_splits(scenes: int, validation_scenes: int | None, seed: int) -> DatasetSplits:
    """Drawn scenes; those to validate on have photographs and textures that are never trained on.

    Parameters
    ----------
    scenes, validation_scenes : number of each; ``VALIDATION_SCENES`` for None.
    seed : seed of the scenes to train on.
    """
    if validation_scenes is None:
        validation_scenes = VALIDATION_SCENES
    for option, number in (("--scenes", scenes), ("--validation-scenes", validation_scenes)):
        check_between(option, number, 1, MAX_SCENES)
    train = ShapeScenes(scenes, seed=seed)
    validation = ShapeScenes(validation_scenes, seed=VALIDATION_SEED, photographs="held out")
    return DatasetSplits(train, validation, train.shapes, {"data": "drawn scenes"})


def coco_splits(coco: Path, validation_coco: Path | None, seed: int) -> DatasetSplits:
    """Images of a COCO file; while training, half of them are mirrored at random.

    Parameters
    ----------
    coco, validation_coco : a COCO file or a folder with one, see ``find_coco``. Without
        ``validation_coco`` a tenth of the images is split off at random.
    seed : seed of that split.

    Raises
    ------
    FileNotFoundError, ValueError: see ``find_coco`` and ``CocoFolder``; annotations without
        segmentations; two files whose classes differ; a file with a single image.
    """
    images = open_coco(coco)
    source = {"data": "a COCO file", "annotations": file_digest(find_coco(coco)[1])}
    mirrored = Transformed(images, v2.RandomHorizontalFlip(0.5))
    if validation_coco is not None:
        validation = open_coco(validation_coco)
        if validation.names != images.names:
            raise ValueError(
                f"--validation-coco must have the classes of --coco, in the same order of ids; got "
                f"{validation.names} and {images.names}."
            )
        return DatasetSplits(mirrored, validation, images.names, source)
    if len(images) < 2:
        raise ValueError(
            f"--coco must have at least 2 images, one to train on and one to validate on; {coco} "
            f"has {len(images)}. Validate on other images with --validation-coco."
        )
    order = np.random.default_rng(seed).permutation(len(images)).tolist()
    count = max(1, round(VALIDATION_FRACTION * len(order)))
    train, validation = Subset(mirrored, order[count:]), Subset(images, order[:count])
    names = sorted(images.items[index][0].path.name for index in order[:count])
    return DatasetSplits(train, validation, images.names, source, names)


def file_digest(path: Path) -> str:
    """Return the first twelve hexadecimal digits of a file's SHA-256."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:12]


def open_coco(path: Path) -> CocoFolder:
    """Open a COCO file or a folder with one; raise unless its objects have segmentations."""
    folder = CocoFolder(*find_coco(path), keypoints=False)  # which no model here learns
    objects = [each for _, there in folder.items for each in there]
    if all(each.crowd for each in objects):
        what = "nothing but crowds" if objects else "none: no list of annotations, or an empty one"
        raise ValueError(
            f"annotations must have objects to train on or to validate on; {path} has {what}."
        )
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
    path : a COCO file, or a folder that holds a single JSON file, in itself or in its folder
        ``annotations``. File names of images are relative to the folder ``images`` beside the file
        or beside ``annotations``, if there is one; otherwise to the folder of the file.

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
            f"--coco and --validation-coco must be a COCO file, or a folder with annotations.json "
            f"and a folder of images; there is none at {path}."
        )
    if len(found) > 1:
        raise ValueError(
            f"--coco and --validation-coco must name the file if there are several; in {path} "
            f"there are {', '.join(file.name for file in found)}."
        )
    parents = (found[0].parent, found[0].parent.parent)
    likely = parents if parents[0].name == "annotations" else parents[:1]
    images = next((p / "images" for p in likely if (p / "images").is_dir()), parents[0])
    return images, found[0]
