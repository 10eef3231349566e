"""A data set in COCO's format: a folder of images and a JSON file, validated when it is opened."""

import logging
from collections.abc import Callable
from copy import copy
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from roilearn.arguments import check_choice
from roilearn.data.coco.annotations import Annotation, valid_annotations
from roilearn.data.coco.box_formats import BOX_FORMATS, WrittenBox, likely_format
from roilearn.data.coco.contents import (
    any_segmentation,
    find_images,
    in_order,
    known_ids,
    label_categories,
    read_coco,
)
from roilearn.data.coco.fault_report import Faults
from roilearn.data.coco.image_records import valid_images
from roilearn.data.coco.keypoints import keypoint_names
from roilearn.data.coco.notes import note_classes
from roilearn.data.coco.records import valid_categories, without_root
from roilearn.data.coco.segmentation import RLE, decode_segmentation
from roilearn.data.coco.shrinking import mask_shrink_factor, shrink_factor, shrunk_mask
from roilearn.data.images import read_image

LOG = logging.getLogger(__name__)


class CocoFolder(Dataset):
    """Images and targets of a folder and its COCO file. Faulty entries are reported and left out.

    ``roilearn.data.FAULTS`` lists every kind of fault and what is done about it. The attribute
    ``faults`` holds those that were found, which are also logged as a warning.

    Parameters
    ----------
    images : folder to which the file names are relative. An image that is not at its path is looked
        for by its name, there and in all folders below. None: the likeliest folder near the
        annotations, see ``roilearn.data.image_folders``.
    annotations : the JSON file.
    masks : whether targets have masks; by default if any annotation has a segmentation.
    keypoints : whether targets have keypoints; by default if any annotation has keypoints.
    box_format : what the four numbers of a box are, one of ``BOX_FORMATS``: ``"xywh"``, the left
        upper corner, width and height, as COCO has it; ``"xyxy"``, two corners; ``"cxcywh"``,
        centre, width and height; ``"masks"``: boxes are computed from the segmentations, also where
        targets have no masks.
    keep_ids : use the category ids as labels, as torchvision's weights for COCO do. Otherwise
        labels count from 1 in the order of the ids.
    keep_empty : keep images without objects.
    check_pixels : decode every image while opening. False reads only their sizes, which is quick,
        but a truncated image is then noticed only when it is loaded.
    transform : takes and returns an image and a target.

    Attributes
    ----------
    names : class names, that of label 1 first; "" for a label without a category.
    category_ids : category id of each, in the same order; 0 for none.
    keypoint_names : names of the keypoints, in their order; empty if targets have none.
    likely_format : the format that boxes more likely have than ``box_format``, and why; or None.
    faults : the faults that were found: ``faults.counts``, ``faults.examples``, ``str(faults)``.

    Returns
    -------
    ``folder[i]`` is an image, (3, H, W) float32 from 0 to 1, upright, and a target: ``boxes``
    (n, 4) float32 x1, y1, x2, y2 in pixels, ends exclusive; ``labels`` (n,) int64 from 1;
    ``masks`` (n, H, W) uint8; ``iscrowd`` (n,) int64; ``area`` (n,) float32, as the file says, or
    of the mask where it says nothing, 0 or 1;
    ``keypoints`` (n, k, 3) float32, x, y in pixels, and 0 (not marked), 1 (hidden) or 2 (seen);
    ``image_id``, the id in the file if it is a number, otherwise i.

    Raises
    ------
    FileNotFoundError: no such folder or file.
    ValueError: the file is no JSON or no COCO file; nothing in it can be used.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> from roilearn.data import ShapeScenes, export_coco
    >>> with TemporaryDirectory() as folder:
    ...     file = export_coco(ShapeScenes(2), folder)
    ...     scenes = CocoFolder(file.parent / "images", file)
    ...     len(scenes), scenes.names, str(scenes.faults)
    (2, ('disc', 'square', 'triangle'), 'no faults')
    """

    def __init__(
        self,
        images: str | Path | None,
        annotations: str | Path,
        *,
        masks: bool | None = None,
        keypoints: bool | None = None,
        box_format: str = "xywh",
        keep_ids: bool = False,
        keep_empty: bool = True,
        check_pixels: bool = True,
        transform: Callable[..., Any] | None = None,
    ) -> None:
        check_choice("box_format", box_format, BOX_FORMATS)
        self.model_size: tuple[int, int] | None = None
        self.mask_pixels: int | None = None
        self.small_masks: dict[tuple[int, int], list[RLE]] = {}
        self.faults, self.transform = Faults(), transform
        file = Path(annotations)
        if images is not None and not Path(images).is_dir():
            raise FileNotFoundError(f"images must be a folder; there is none at {images}.")
        contents = read_coco(file)
        folder = find_images(file, contents) if images is None else Path(images)
        records = contents.get("annotations", [])
        listed = records if isinstance(records, list) else []
        if masks is None:
            masks = any_segmentation(records)
        if box_format == "masks" and not any_segmentation(records):
            raise ValueError(
                f"box_format='masks' needs annotations with segmentations; {file} has none."
            )
        self.masks = masks
        self.keypoint_names = () if keypoints is False else keypoint_names(contents)
        if keypoints and not self.keypoint_names:
            raise ValueError(f"keypoints=True needs annotations with keypoints; {file} has none.")
        classes = without_root(contents.get("categories", []), records, self.faults)
        categories = valid_categories(classes, self.faults)
        labels = label_categories(categories, keep_ids)
        self.names, self.category_ids = in_order(categories, labels)
        found = valid_images(contents["images"], folder, self.faults, check_pixels)
        known = known_ids(contents["images"])
        self.faults.images, self.faults.annotations = len(contents["images"]), len(listed)
        written: list[WrittenBox] = []
        objects = valid_annotations(
            records,
            found,
            known,
            labels,
            masks or box_format == "masks",
            self.faults,
            len(self.keypoint_names),
            box_format,
            written,
        )
        self.likely_format = likely_format(written, box_format)
        if self.likely_format:
            self.faults.add("boxes in another format", self.likely_format)
        self.items = [(image, objects[image.id]) for image in found.values()]
        for image, there in self.items:
            if not there:
                self.faults.add("empty image", image.path.name)
        self._check_not_empty(file, bool(listed))
        note_classes(self.items, self.names, self.faults)
        if not keep_empty:
            self.items = [(image, there) for image, there in self.items if there]
        if self.faults.counts:
            what = "has faults" if self.faults else "has no faults; what may surprise"
            LOG.warning("%s %s:\n%s", file, what, self.faults)

    def __len__(self) -> int:
        """Count the images."""
        return len(self.items)

    def __getitem__(self, index: int) -> tuple[Tensor, dict[str, Any]]:
        """Load image ``index`` and its target, and transform them if there is a transform."""
        record, objects = self.items[index]
        factor = self.shrink_factor(index)
        image = read_image(record.path, record.upright, factor)
        target = self._target(objects, factor)
        if self.masks:
            target["masks"] = self._masks(index, (image.shape[-2], image.shape[-1]), factor)
        target["image_id"] = record.id if isinstance(record.id, int) else index
        return self.transform(image, target) if self.transform else (image, target)

    def seen_at(self, min_size: int, max_size: int) -> Self:
        """Return the same data set with large images shrunk, for a model that sees them small.

        Each image and its masks are read at a power of two of their size that is no smaller than
        what the model resizes them to, which takes a small part of the time and memory. Boxes,
        keypoints and areas are in pixels of the small image.

        Parameters
        ----------
        min_size, max_size : see ``roilearn.models.transform.DetectorTransform``.
        """
        seen = copy(self)
        seen.model_size = (min_size, max_size)
        return seen

    def shrink_factor(self, index: int) -> int:
        """Return the power of two by which image ``index`` and its masks are shrunk."""
        record, objects = self.items[index]
        if self.model_size is not None:
            return shrink_factor(record.height, record.width, *self.model_size)
        if self.masks and self.mask_pixels is not None:
            size = (record.height, record.width)
            return mask_shrink_factor(len(objects), *size, self.mask_pixels)
        return 1

    def _target(self, objects: list[Annotation], factor: int) -> dict[str, Any]:
        target: dict[str, Any] = {
            "boxes": torch.tensor([each.box for each in objects], dtype=torch.float32) / factor,
            "labels": torch.tensor([each.label for each in objects], dtype=torch.int64),
            "iscrowd": torch.tensor([each.crowd for each in objects], dtype=torch.int64),
            "area": torch.tensor([each.area for each in objects], dtype=torch.float32) / factor**2,
        }
        target["boxes"] = target["boxes"].reshape(-1, 4)
        if self.keypoint_names:
            points = torch.tensor([each.keypoints for each in objects], dtype=torch.float32)
            target["keypoints"] = points.reshape(-1, len(self.keypoint_names), 3)
            target["keypoints"][..., :2] /= factor
        return target

    def _masks(self, index: int, size: tuple[int, int], factor: int) -> Tensor:
        """Decode the masks of an image; small ones are kept as run lengths for the next time."""
        encoded = [each.rle or {} for each in self.items[index][1]]
        if factor > 1:
            if (index, factor) not in self.small_masks:
                small = [shrunk_mask(each, factor) for each in encoded]
                self.small_masks[index, factor] = small
            encoded = self.small_masks[index, factor]
        masks = np.zeros((len(encoded), *size), np.uint8)
        for n, each in enumerate(encoded):
            masks[n] = decode_segmentation(each)
        return torch.from_numpy(masks)

    def _check_not_empty(self, file: Path, annotated: bool) -> None:
        objects = sum(len(there) for _, there in self.items)
        if not self.items or (annotated and not objects):
            what = "objects" if self.items else "images"
            why = f"Found:\n{self.faults}" if self.faults else "Its list of images is empty."
            raise ValueError(
                f"annotations must have {what} that can be used; none is left of {file}. {why}\n"
                "File names in it are relative to the folder given as images."
            )
