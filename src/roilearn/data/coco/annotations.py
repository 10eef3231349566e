"""Annotations of a COCO file: the valid ones, each with box, label, mask and keypoints."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from roilearn.data.coco.box_formats import LOW_IOU, Box, WrittenBox, as_corners, iou_with_mask
from roilearn.data.coco.fault_report import FaultError, Faults
from roilearn.data.coco.image_records import ImageRecord
from roilearn.data.coco.keypoints import Keypoint, is_number, read_keypoints, unlabel_outside
from roilearn.data.coco.records import valid_records
from roilearn.data.coco.segmentation import RLE, encode_segmentation, run_lengths, without_crumbs

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
    box_format: str = "xywh",
    written: list[WrittenBox] | None = None,
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
    box_format : one of ``BOX_FORMATS``.
    written : list to which every box is added as it is written, with the box of its mask.
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
            rle = _mask(record, image, faults, place) if masks else None
            points = read_keypoints(record.get("keypoints"), keypoints) if keypoints else []
            crowd = _crowd(record, faults, place)
            if written is not None and not crowd:
                written += _written(record, image, rle)
            box = _box(record, image, rle, faults, place, box_format)
        except FaultError as error:
            faults.add(error.fault, f"{place} ({error})")
            continue
        if crowd:
            faults.add("crowd", place)
        if rle and not crowd:
            _check_against_mask(box, rle, faults, f"{place} (box {record.get('bbox')})")
        found = unlabel_outside(points, image.height, image.width)
        if found != points:
            faults.add("keypoint outside the image", place)
        label, area = labels[record["category_id"]], _area(record, box, rle, faults, place)
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


def _mask(record: Mapping[str, Any], image: ImageRecord, faults: Faults, place: str) -> RLE:
    if not record.get("segmentation"):
        raise FaultError("no segmentation", "masks are wanted")
    segmentation = record["segmentation"]
    whole = without_crumbs(segmentation)
    if whole is not segmentation:
        faults.add("polygon of fewer than three points", place)
    return encode_segmentation(whole, image.height, image.width)


def _box(
    record: Mapping[str, Any],
    image: ImageRecord,
    rle: RLE | None,
    faults: Faults,
    place: str,
    box_format: str,
) -> Box:
    """Box of one object, clipped to the image; the box of its mask if the record has none."""
    bbox = record.get("bbox")
    if rle is not None and (bbox is None or box_format == "masks"):
        bbox, box_format = run_lengths.toBbox(rle).tolist(), "xywh"
    if not (isinstance(bbox, list) and len(bbox) == 4 and all(map(is_number, bbox))):
        raise FaultError("bad box", f"{bbox!r:.60}")
    a, b, c, d = map(float, bbox)
    x1, y1, x2, y2 = edges = as_corners((a, b, c, d), box_format)
    if x2 <= x1 or y2 <= y1:
        raise FaultError("box of no area", str(bbox))
    box = (max(x1, 0.0), max(y1, 0.0), min(x2, float(image.width)), min(y2, float(image.height)))
    if box[0] >= box[2] or box[1] >= box[3]:
        raise FaultError("box outside the image", str(bbox))
    if any(abs(a - b) > MAX_OVERHANG for a, b in zip(edges, box, strict=True)):
        faults.add("box over the edge", f"{place} ({bbox})")
    return box


def _crowd(record: Mapping[str, Any], faults: Faults, place: str) -> bool:
    """Read ``iscrowd``; text is refused, because any text would count as true."""
    crowd = record.get("iscrowd", 0)
    if crowd is None:
        faults.add("iscrowd of null", place)
        crowd = 0
    if crowd not in (0, 1):  # JSON's false and true are equal to these
        raise FaultError("bad iscrowd", f"{crowd!r:.40}, not 0 or 1")
    return bool(crowd)


def _written(
    record: Mapping[str, Any], image: ImageRecord, rle: RLE | None
) -> Iterator[WrittenBox]:
    """Yield the box of a record as it is written, if it is four numbers."""
    bbox = record.get("bbox")
    if isinstance(bbox, list) and len(bbox) == 4 and all(map(is_number, bbox)):
        a, b, c, d = bbox
        around = None if rle is None else mask_box(rle)
        yield WrittenBox((a, b, c, d), around, image.height, image.width)


def mask_box(rle: RLE) -> Box:
    """Compute the box x1, y1, x2, y2 of a mask."""
    x, y, width, height = run_lengths.toBbox(rle).tolist()
    return x, y, x + width, y + height


def _check_against_mask(box: Box, rle: RLE, faults: Faults, where: str) -> None:
    """Report a box that does not overlap its mask, or is much larger or smaller than it."""
    iou = iou_with_mask(WrittenBox(box, mask_box(rle), 0, 0), "xyxy")
    if iou == 0:
        faults.add("mask far from its box", where)
    elif iou < LOW_IOU:
        faults.add("box unlike its mask", f"{where[:-1]}, IoU {iou:.2f})")


def _area(
    record: Mapping[str, Any], box: Box, rle: RLE | None, faults: Faults, place: str
) -> float:
    """Area as the record gives it, or else of the mask, or else of the box."""
    area = record.get("area")
    x1, y1, x2, y2 = box
    computed = float(run_lengths.area(rle)) if rle else (x2 - x1) * (y2 - y1)
    if not (is_number(area) and area >= 0):
        return computed
    if area in (0, 1) and computed > 1:  # some tools write the same number everywhere
        faults.add("area of 0 or 1", place)
        return computed
    return float(area)
