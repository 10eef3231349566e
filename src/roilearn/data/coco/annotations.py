"""Annotations of a COCO file: the valid ones, each with box, label, mask and keypoints."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from roilearn.data.coco.fault_report import FaultError, Faults
from roilearn.data.coco.image_records import ImageRecord
from roilearn.data.coco.keypoints import Keypoint, is_number, read_keypoints, unlabel_outside
from roilearn.data.coco.records import valid_records
from roilearn.data.coco.segmentation import RLE, encode_segmentation, run_lengths

Box = tuple[float, float, float, float]
MAX_OVERHANG = 1.0
"""Pixels by which a box may leave the image without being reported; it is clipped in any case."""


@dataclass(frozen=True)
class Annotation:
    """One object: ``box`` x1, y1, x2, y2 in image pixels, ends exclusive; ``rle`` its mask."""

    box: Box
    label: int
    crowd: bool
    area: float
    rle: RLE | None
    keypoints: list[Keypoint]


def valid_annotations(
    records: Any,
    images: Mapping[Any, ImageRecord],
    known: Collection[Any],
    labels: Mapping[Any, int],
    masks: bool,
    faults: Faults,
    keypoints: int = 0,
) -> dict[Any, list[Annotation]]:
    """Collect the valid annotations of each image, by its id; report the others.

    Parameters
    ----------
    images : the valid images.
    known : ids of all images in the file. An annotation of an image that was left out is not
        reported.
    labels : label of each category id.
    masks : whether every object needs a segmentation.
    keypoints : number of keypoints of every object, labelled or not.
    """
    objects: dict[Any, list[Annotation]] = {image: [] for image in images}
    seen: set[Any] = set()
    for place, record in valid_records(records, "annotations", ("image_id", "category_id"), faults):
        image = images.get(record["image_id"])
        try:
            _check_ids(record, known, labels)
            _check_once(record, seen, faults, place)
            if image is None:
                continue
            rle = _mask(record, image) if masks else None
            points = read_keypoints(record.get("keypoints"), keypoints) if keypoints else []
            crowd = _crowd(record)
            box = _box(record, image, rle, faults, place)
        except FaultError as error:
            faults.add(error.fault, f"{place} ({error})")
            continue
        if crowd:
            faults.add("crowd", place)
        if rle and _disjoint(box, rle):
            faults.add("mask far from its box", f"{place} (box {record['bbox']})")
        found = unlabel_outside(points, image.height, image.width)
        if found != points:
            faults.add("keypoint outside the image", place)
        label, area = labels[record["category_id"]], _area(record, box, rle)
        objects[record["image_id"]].append(Annotation(box, label, crowd, area, rle, found))
    return objects


def _check_ids(
    record: Mapping[str, Any], known: Collection[Any], labels: Mapping[Any, int]
) -> None:
    if record["image_id"] not in known:
        raise FaultError("unknown image id", f"image {record['image_id']}")
    if record["category_id"] not in labels:
        raise FaultError("unknown category id", f"category {record['category_id']}")


def _check_once(record: Mapping[str, Any], seen: set[Any], faults: Faults, place: str) -> None:
    """Refuse an annotation that repeats another in all but its id; report a repeated id."""
    content = hash(repr(sorted((key, value) for key, value in record.items() if key != "id")))
    if ("content", content) in seen:
        raise FaultError("annotation given twice", "but for its id")
    number = ("id", repr(record["id"])) if "id" in record else None
    if number in seen:
        faults.add("annotation id given twice", place)
    seen |= {("content", content), number} - {None}


def _mask(record: Mapping[str, Any], image: ImageRecord) -> RLE:
    if not record.get("segmentation"):
        raise FaultError("no segmentation", "masks are wanted")
    return encode_segmentation(record["segmentation"], image.height, image.width)


def _box(
    record: Mapping[str, Any], image: ImageRecord, rle: RLE | None, faults: Faults, place: str
) -> Box:
    """Box of one object, clipped to the image; the box of its mask if the record has none."""
    bbox = record.get("bbox")
    if bbox is None and rle is not None:
        bbox = run_lengths.toBbox(rle).tolist()
    if not (isinstance(bbox, list) and len(bbox) == 4 and all(map(is_number, bbox))):
        raise FaultError("bad box", f"{bbox!r:.60}")
    x, y, width, height = map(float, bbox)
    if width <= 0 or height <= 0:
        raise FaultError("box of no area", str(bbox))
    x1, y1, x2, y2 = edges = (x, y, x + width, y + height)
    box = (max(x1, 0.0), max(y1, 0.0), min(x2, float(image.width)), min(y2, float(image.height)))
    if box[0] >= box[2] or box[1] >= box[3]:
        raise FaultError("box outside the image", str(bbox))
    if any(abs(a - b) > MAX_OVERHANG for a, b in zip(edges, box, strict=True)):
        faults.add("box over the edge", f"{place} ({bbox})")
    return box


def _crowd(record: Mapping[str, Any]) -> bool:
    """Read ``iscrowd``; text is refused, because any text would count as true."""
    crowd = record.get("iscrowd", 0)
    if crowd not in (0, 1):  # JSON's false and true are equal to these
        raise FaultError("bad iscrowd", f"{crowd!r:.40}, not 0 or 1")
    return bool(crowd)


def _disjoint(box: Box, rle: RLE) -> bool:
    """Whether a mask and its box do not overlap."""
    x, y, width, height = run_lengths.toBbox(rle).tolist()
    return x >= box[2] or y >= box[3] or x + width <= box[0] or y + height <= box[1]


def _area(record: Mapping[str, Any], box: Box, rle: RLE | None) -> float:
    """Area as the record gives it, or else of the mask, or else of the box."""
    area = record.get("area")
    if is_number(area) and area >= 0:
        return float(area)
    x1, y1, x2, y2 = box
    return float(run_lengths.area(rle)) if rle else (x2 - x1) * (y2 - y1)
