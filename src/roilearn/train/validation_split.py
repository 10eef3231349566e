"""The validation split: which images a model is trained on, and on which others it is evaluated."""

import hashlib
import math
from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from torch.utils.data import Subset
from torchvision.transforms import v2

from roilearn.arguments import check_between
from roilearn.data import CocoFolder, ShapeScenes, Transformed, find_annotations
from roilearn.data.coco.overview import class_counts, image_sizes, median_side
from roilearn.train.checked_coco import MAX_FAULTS, open_coco
from roilearn.train.held_out import choose_held_out

VALIDATION_SCENES = 200
"""Default number of drawn scenes to validate on."""
VALIDATION_SEED = 12345
"""Seed of the drawn scenes to validate on. Their photographs differ from those to train on as well,
so no seed of the training scenes gives the same images."""
VALIDATION_FRACTION = 0.1
"""Fraction of a COCO file's images to validate on, if no other file is given for it."""
FEW_IMAGES = 5
"""Number of images to validate on below which a remark is made, if they were split off."""
SMALL_SIDE, WANTED_SIDE = 12, 24
"""Median of the objects' shorter sides, in pixels of the model, below which a remark is made, and
the one that the size it advises gives."""
MASK_PIXELS = 2**28
"""Pixels of all masks of one image to validate on, above which it is shrunk."""
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
    folder : the data set in COCO's format from which the images to train on come, if it is one.
    """

    train: Any
    validation: Any
    class_names: tuple[str, ...]
    source: dict[str, str]
    validation_images: Sequence[str] = field(default=())
    folder: CocoFolder | None = None

    def __str__(self) -> str:
        """Say how many images each has, and name the first that were split off."""
        names = ", ".join(self.validation_images[:3])
        more = ", ..." if len(self.validation_images) > 3 else ""
        listed = f": {names}{more}" if names else ""
        lines = [
            f"{len(self.train)} images to train on, {len(self.validation)} to validate on{listed}"
        ]
        if self.folder is not None:
            counts = class_counts(self.folder).items()
            objects = ", ".join(f"{count} {name}" for name, count in counts)
            lines.append(f"objects: {objects}; images of {image_sizes(self.folder)} pixels")
        return "\n".join(lines)

    def few_remark(self) -> str | None:
        """Say that fewer than ``FEW_IMAGES`` were split off to validate on; None if it is not so.

        Nor if images were given to validate on, however few.
        """
        count = len(self.validation_images)
        if not 0 < count < FEW_IMAGES:
            return None
        images = "1 image is" if count == 1 else f"{count} images are"
        return (
            f"{images} held out to validate on, so AP says little about other images, nor which "
            "model is best: a single object changes it much. Label more, or validate on images of "
            "their own with --validation-coco"
        )

    def shrink_images(self, min_size: int, max_size: int) -> dict[str, int]:
        """Shrink large images to train on, see ``CocoFolder.seen_at``; return what to record."""
        if self.folder is None:
            return {}
        self.folder.model_size = (min_size, max_size)
        factors = map(self.folder.shrink_factor, range(len(self.folder)))
        largest = max(factors, default=1)
        return {"largest images shrunk by": largest} if largest > 1 else {}

    def size_remark(self, min_size: int, max_size: int) -> str | None:
        """Say that half of the objects are small for a model that resizes images to these sizes.

        None if they are not, or if the data are no images in COCO's format.
        """
        if self.folder is None:
            return None
        side = median_side(self.folder, min_size, max_size)
        if side >= SMALL_SIDE:
            return None
        wanted = math.ceil(min_size * WANTED_SIDE / side / 32) * 32
        return (
            f"half of the objects are at most {side:.0f} pixels wide or high where the model sees "
            f"them, in images of {min_size} pixels on the shorter side, which is little to learn "
            f"from: give --size {wanted}, or cut the images into tiles"
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


def coco_splits(
    coco: Path,
    validation_coco: Path | None,
    seed: int,
    images: Path | None = None,
    validation_images: Path | None = None,
    boxes: str = "xywh",
    max_faults: float = MAX_FAULTS,
    no_masks: bool = False,
) -> DatasetSplits:
    """Images of a COCO file; while training, half of them are mirrored at random.

    Parameters
    ----------
    coco, validation_coco : a COCO file or the folder of an export, see ``find_annotations``.
        Without ``validation_coco`` the export's own validation images are used, or else a tenth of
        the images is split off at random, with every class in it where that is possible.
    seed : seed of that split.
    images, validation_images : folders of the images; by default found near the annotations. If
        the export's own validation images are used, ``images`` holds both.
    boxes : what the four numbers of a box are, one of ``roilearn.data.BOX_FORMATS``.
    max_faults : share of the images, or of the annotations, that may have a fault of one kind.
    no_masks : whether masks are left out. Without any in the file they are left out as well.

    Raises
    ------
    FileNotFoundError, ValueError: see ``find_annotations`` and ``CocoFolder``; validation images
        without masks for training images with masks; two files whose classes differ; a file with a
        single image.
    """
    file, beside = find_annotations(coco)
    other = beside if validation_coco is None else find_annotations(validation_coco)[0]
    opened = open_coco(file, images, boxes, max_faults, masks=False if no_masks else None)
    source = {"data": "a COCO file", "annotations": file_digest(file)}
    source |= {} if boxes == "xywh" else {"boxes": boxes}
    source |= {} if opened.masks else {"masks": "none"}
    seen = copy(opened)  # shrinks large images once the model's size is known
    opened.mask_pixels = MASK_PIXELS
    mirrored = Transformed(seen, v2.RandomHorizontalFlip(0.5))
    if other is not None:
        validation = open_coco(other, validation_images or images, boxes, max_faults, opened.masks)
        validation.mask_pixels = MASK_PIXELS
        if validation.names != opened.names:
            raise ValueError(
                f"--validation-coco must have the classes of --coco, in the same order of ids; got "
                f"{validation.names} and {opened.names}."
            )
        return DatasetSplits(mirrored, validation, opened.names, source, folder=seen)
    if len(opened) < 2:
        raise ValueError(
            f"--coco must have at least 2 images, one to train on and one to validate on; {coco} "
            f"has {len(opened)}. Validate on other images with --validation-coco."
        )
    classes = [{each.label for each in there if not each.crowd} for _, there in opened.items]
    held_out = choose_held_out(classes, VALIDATION_FRACTION, seed)
    others = sorted(set(range(len(opened))) - set(held_out))
    names = sorted(opened.items[index][0].path.name for index in held_out)
    source["validation images"] = hashlib.sha256("\n".join(names).encode()).hexdigest()[:12]
    train, validation = Subset(mirrored, others), Subset(opened, sorted(held_out))
    return DatasetSplits(train, validation, opened.names, source, names, seen)


def file_digest(path: Path) -> str:
    """Return the first twelve hexadecimal digits of a file's SHA-256."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:12]
