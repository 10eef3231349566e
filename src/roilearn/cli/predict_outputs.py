"""What ``roilearn predict`` writes besides drawings: COCO results, a table, masks as images."""

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from torch import Tensor

from roilearn.data import mask_to_rle

COLUMNS = ("file", "class", "label", "score", "x1", "y1", "x2", "y2", "mask")
"""Columns of the table. Boxes are in image pixels, ends exclusive; mask is the name of a file."""


class Outputs:
    """Detections of all images, collected, and written to one JSON file and one CSV file.

    Parameters
    ----------
    coco_results, table : paths of the files; None: not written.
    masks : folder of the masks' PNG files, 255 inside and 0 outside; None: not written.
    names : class names, that of label 1 first.
    """

    def __init__(
        self,
        coco_results: Path | None,
        table: Path | None,
        masks: Path | None,
        names: Sequence[str],
    ) -> None:
        self.coco_results, self.table, self.masks, self.names = coco_results, table, masks, names
        self.results: list[dict[str, Any]] = []
        self.rows: list[tuple[Any, ...]] = []

    def add(self, file: Path, prefix: str, detections: Mapping[str, Tensor]) -> None:
        """Add the detections of an image; masks are written at once, as PREFIX.mask-NUMBER.png."""
        for number, found in enumerate(each_detection(detections), start=1):
            mask = ""
            if self.masks is not None and "mask" in found:
                mask = f"{prefix}.mask-{number:03}.png"
                Image.fromarray(found["mask"] * np.uint8(255)).save(self.masks / mask)
            if self.coco_results is not None:
                self.results.append(as_result(file, found))
            label = found["label"]
            name = self.names[label - 1] if label <= len(self.names) else ""
            corners = (f"{edge:.2f}" for edge in found["box"])
            self.rows.append((file, name, label, f"{found['score']:.4f}", *corners, mask))

    def write(self) -> None:
        """Write the files of all images. Each appears only when it is complete."""
        if self.coco_results is not None:
            part = self.coco_results.with_name(f"{self.coco_results.name}.part")
            part.write_text(json.dumps(self.results), encoding="utf-8")
            part.replace(self.coco_results)
        if self.table is not None:
            part = self.table.with_name(f"{self.table.name}.part")
            with part.open("w", encoding="utf-8", newline="") as file:
                csv.writer(file).writerows([COLUMNS, *self.rows])
            part.replace(self.table)


def each_detection(detections: Mapping[str, Tensor]) -> Iterator[dict[str, Any]]:
    """Yield ``label``, ``score``, ``box`` and, if there are masks, ``mask`` of each detection."""
    columns = (detections[name].tolist() for name in ("labels", "scores", "boxes"))
    for number, (label, score, box) in enumerate(zip(*columns, strict=True)):
        found = {"label": label, "score": score, "box": box}
        if "masks" in detections:
            found["mask"] = detections["masks"][number].numpy()
        yield found


def as_result(file: Path, found: Mapping[str, Any]) -> dict[str, Any]:
    """Convert a detection to an entry of a COCO results file, with the name of the image's file.

    ``image_id`` is the number that is the file's name, as in COCO, or else the name. The category
    id is the label.

    Examples
    --------
    >>> found = {"label": 2, "score": 0.75, "box": [1.0, 2.0, 4.0, 6.0]}
    >>> result = as_result(Path("000007.jpg"), found)
    >>> result["image_id"], result["bbox"]
    (7, [1.0, 2.0, 3.0, 4.0])
    """
    x1, y1, x2, y2 = found["box"]
    result = {
        "image_id": int(file.stem) if file.stem.isdecimal() else file.name,
        "file_name": file.name,
        "category_id": found["label"],
        "score": found["score"],
        "bbox": [x1, y1, x2 - x1, y2 - y1],
    }
    return {**result, "segmentation": mask_to_rle(found["mask"])} if "mask" in found else result
