"""What to learn from and what to be measured on, which share no image."""

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

HELD_OUT_SEED = 12345
"""Of the drawn scenes that measure. Their photographs are others as well, so no seed gives them."""
HELD_OUT_SHARE = 0.1
"""Of the images of a folder, where no other folder is given to measure."""
MOST_SCENES = 10_000_000
"""Their order is drawn anew for every epoch, and has to find room in memory."""


@dataclass(frozen=True)
class Material:
    """What to learn from and what to be measured on.

    Attributes
    ----------
    learn, measure : items.
    names : of the classes, from label 1 on.
    source : what a checkpoint has to know of where they come from.
    held_out : names of the images that were set apart, if any were.
    """

    learn: Any
    measure: Any
    names: tuple[str, ...]
    source: dict[str, str]
    held_out: Sequence[str] = field(default=())

    def __str__(self) -> str:
        """Say how many there are of both, and which are held out."""
        apart = f", held out: {', '.join(self.held_out[:3])}" if self.held_out else ""
        more = ", ..." if len(self.held_out) > 3 else ""
        return (
            f"{len(self.learn)} images to learn from, {len(self.measure)} to measure{apart}{more}"
        )


def scenes(count: int, measured: int, seed: int) -> Material:
    """Drawn scenes; those that measure lie on photographs and textures that are never learned."""
    for option, number in (("--scenes", count), ("--evaluate", measured)):
        check_between(option, number, 1, MOST_SCENES)
    learn = ShapeScenes(count, seed=seed)
    measure = ShapeScenes(measured, seed=HELD_OUT_SEED, photographs="held out")
    return Material(learn, measure, learn.shapes, {"data": "drawn scenes"})


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
    source = {"data": "a COCO file", "annotations": digest(find_coco(coco)[1])}
    mirrored = Transformed(all_of_it, v2.RandomHorizontalFlip(0.5))
    if validate is not None:
        measure = open_coco(validate)
        if measure.names != all_of_it.names:
            raise ValueError(
                f"--validate must have the classes of --coco, in the same order of ids; got "
                f"{measure.names} and {all_of_it.names}."
            )
        return Material(mirrored, measure, all_of_it.names, source)
    if len(all_of_it) < 2:
        raise ValueError(
            f"--coco must have at least 2 images, one to learn from and one to measure; {coco} has "
            f"{len(all_of_it)}. Measure on other images with --validate."
        )
    order = np.random.default_rng(seed).permutation(len(all_of_it)).tolist()
    apart = max(1, round(HELD_OUT_SHARE * len(order)))
    learn, measure = Subset(mirrored, order[apart:]), Subset(all_of_it, order[:apart])
    apart_names = sorted(all_of_it.items[index][0].path.name for index in order[:apart])
    return Material(learn, measure, all_of_it.names, source, apart_names)


def digest(path: Path) -> str:
    """Short fingerprint of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:12]


def open_coco(path: Path) -> CocoFolder:
    """Open a COCO file or a folder with one; raise unless its objects have outlines."""
    folder = CocoFolder(*find_coco(path), keypoints=False)  # which no model here learns
    objects = [each for _, there in folder.items for each in there]
    if all(each.crowd for each in objects):
        what = "nothing but crowds" if objects else "none: no list of annotations, or an empty one"
        raise ValueError(
            f"annotations must have objects to learn from or to measure by; {path} has {what}."
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
