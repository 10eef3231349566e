"""Numbers that a tool has written as text, such as ``"160"`` for 160: read as numbers."""

import math
from collections.abc import Mapping
from typing import Any

IDS = ("id", "image_id", "category_id")
SIZES = ("width", "height", "area", "iscrowd")


def plain_record(record: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a record with numbers in place of texts that are numbers; itself if it has none.

    Ids become whole numbers only where that is another way to write them: ``"007"`` stays. A list
    of polygons is looked at by its first number.

    Examples
    --------
    >>> plain_record({"id": "7", "bbox": ["1", "2.5", 3, "x"], "file_name": "7"})
    {'id': 7, 'bbox': [1, 2.5, 3, 'x'], 'file_name': '7'}
    """
    changed = {key: plain_id(record[key]) for key in IDS if isinstance(record.get(key), str)}
    changed |= {key: number(record[key]) for key in SIZES if isinstance(record.get(key), str)}
    box = record.get("bbox")
    if isinstance(box, list) and any(isinstance(each, str) for each in box):
        changed["bbox"] = [number(each) for each in box]
    polygons = record.get("segmentation")
    first = polygons[0] if isinstance(polygons, list) and polygons else None
    if (
        isinstance(polygons, list)
        and isinstance(first, list)
        and any(isinstance(each, str) for each in first[:1])
    ):
        changed["segmentation"] = [
            [number(each) for each in part] if isinstance(part, list) else part for part in polygons
        ]
    changed = {key: value for key, value in changed.items() if value != record[key]}
    return {**record, **changed} if changed else record


def plain_id(value: Any) -> Any:
    """Return the whole number that a text is, if it is written as that number is."""
    whole = value if not isinstance(value, str) else number(value)
    return whole if isinstance(whole, int) and str(whole) == str(value) else value


def number(value: Any) -> Any:
    """Return the finite number that a text is; anything else as it is."""
    if not isinstance(value, str):
        return value
    try:
        found = float(value)
    except ValueError:
        return value
    if not math.isfinite(found):
        return value
    return int(found) if found.is_integer() else found
