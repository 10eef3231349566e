"""Export of a data set to COCO's format, for other programs and for ``CocoFolder``."""

import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from torch import Tensor

from roilearn.arguments import check_choice
from roilearn.data.coco.keypoints import write_keypoints
from roilearn.data.coco.polygons import mask_to_polygons
from roilearn.data.coco.segmentation import mask_to_rle

SEGMENTATIONS = ("rle", "polygons")


def export_coco(
    dataset: Any,
    folder: str | Path,
    *,
    segmentation: str = "rle",
    names: Sequence[str] | None = None,
) -> Path:
    """Write images and annotations of a data set: ``images/000000.png`` ..., ``annotations.json``.

    Parameters
    ----------
    dataset : items are an image and a target, see ``roilearn.data``.
    folder : output folder, which is made if necessary. The annotations are written last, and appear
        only when they are complete.
    segmentation : ``"rle"``, run lengths, or ``"polygons"``, which more programs can read. Crowds
        are run lengths in any case. Both forms hold exactly the pixels of the masks.
    names : class names, that of label 1 first; by default those of the data set, or numbers.

    Returns
    -------
    The path of the annotations.

    Raises
    ------
    ValueError: an unknown kind of segmentation.
    """
    check_choice("segmentation", segmentation, SEGMENTATIONS)
    folder = Path(folder)
    (folder / "images").mkdir(parents=True, exist_ok=True)
    names = list(names or getattr(dataset, "names", None) or getattr(dataset, "shapes", ()))
    images, annotations, numbers = [], [], count(1)
    for index in range(len(dataset)):
        image, target = dataset[index]
        name = f"{index:06}.png"
        save_image(image, folder / "images" / name)
        height, width = image.shape[-2:]
        images.append({"id": index, "file_name": name, "height": height, "width": width})
        annotations += [
            {"id": next(numbers), "image_id": index, **each}
            for each in as_records(target, segmentation)
        ]
    last = max([len(names), *(each["category_id"] for each in annotations)])
    called = [*names, *map(str, range(len(names) + 1, last + 1))]
    keypoints = keypoint_entry(dataset, annotations)
    categories = [
        {"id": label, "name": name, **keypoints} for label, name in enumerate(called, start=1)
    ]
    contents = {"images": images, "annotations": annotations, "categories": categories}
    file = folder / "annotations.json"
    part = file.with_suffix(".part")
    part.write_text(json.dumps(contents), encoding="utf-8")
    part.replace(file)
    return file


def keypoint_entry(dataset: Any, annotations: Sequence[Mapping[str, Any]]) -> dict[str, list[str]]:
    """Entry of a COCO category for the names of keypoints, if annotations have keypoints."""
    count = max((len(each.get("keypoints", ())) // 3 for each in annotations), default=0)
    numbers = map(str, range(1, count + 1))
    return {"keypoints": list(getattr(dataset, "keypoint_names", None) or numbers)} if count else {}


def save_image(image: Tensor, path: Path) -> None:
    """Write a (3, H, W) image from 0 to 1 as an 8-bit PNG."""
    pixels = (image.clamp(0, 1) * 255).round().byte().permute(1, 2, 0)
    Image.fromarray(pixels.cpu().numpy()).save(path)


def as_records(target: Mapping[str, Any], segmentation: str) -> Iterator[dict[str, Any]]:
    """Yield a COCO annotation, without ids, for each object in a target."""
    for n, (x1, y1, x2, y2) in enumerate(target["boxes"].double().tolist()):
        crowd = int(target["iscrowd"][n]) if "iscrowd" in target else 0
        record = {
            "category_id": int(target["labels"][n]),
            "bbox": [x1, y1, x2 - x1, y2 - y1],
            "iscrowd": crowd,
            "area": (x2 - x1) * (y2 - y1),
        }
        if "masks" in target:
            mask = (target["masks"][n] != 0).cpu().numpy()
            polygons = segmentation == "polygons" and not crowd
            record["segmentation"] = mask_to_polygons(mask) if polygons else mask_to_rle(mask)
            record["area"] = int(np.count_nonzero(mask))
        if "area" in target:
            record["area"] = float(target["area"][n])
        if "keypoints" in target:
            record |= write_keypoints(target["keypoints"][n].double().tolist())
        yield record
