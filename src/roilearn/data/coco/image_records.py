"""Images of a COCO file: the valid ones, with size and orientation."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from roilearn.data.coco.fault_report import Faults
from roilearn.data.coco.records import valid_records
from roilearn.data.image_names import ImageNames
from roilearn.data.images import is_nearly_constant, orientation

SIDEWAYS = (5, 6, 7, 8)
"""EXIF orientations that swap width and height."""


@dataclass(frozen=True)
class ImageRecord:
    """A valid image: its file, its size when read, and whether it is turned upright for that."""

    id: Any
    path: Path
    height: int
    width: int
    upright: bool


def valid_images(
    records: Any, folder: Path, faults: Faults, decode: bool = True
) -> dict[Any, ImageRecord]:
    """Collect the images whose files can be read, by id; ``decode`` decodes each of them."""
    images: dict[Any, ImageRecord] = {}
    files: set[Path] = set()
    names = ImageNames(folder)
    for place, record in valid_records(records, "images", ("id", "file_name"), faults):
        if record["id"] in images:
            faults.add("image id given twice", place)
            continue
        name = str(record["file_name"])
        try:
            path = names.find(name)
            width, height, turn, constant = stored_size(path, decode)
        except FileNotFoundError as error:
            faults.add("missing file", f"{name} ({error})")
        except Exception as error:  # noqa: BLE001  a decoder raises what it likes
            faults.add("broken image", f"{record['file_name']} ({error})")
        else:
            if names.stored(name) is None:
                faults.add("found by its name", f"{name} is {path}")
            images[record["id"]] = _image_record(record, path, (width, height), turn, faults)
            if constant:
                faults.add("nearly constant image", name)
            if path in files:
                faults.add("file listed twice", f"{record['file_name']} ({place})")
            files.add(path)
    return images


def stored_size(path: Path, decode: bool) -> tuple[int, int, int, bool]:
    """Read an image's width and height as stored, EXIF orientation, and if it is nearly constant.

    The last is false if the image is not decoded.
    """
    with Image.open(path) as image:
        width, height, turn, constant = *image.size, orientation(image), False
        if decode:
            image.draft("RGB", (1, 1))  # a JPEG is read wholly, but decoded at a low resolution
            image.load()
            constant = is_nearly_constant(image)
    return width, height, turn, constant


def _image_record(
    record: Mapping[str, Any], path: Path, stored: tuple[int, int], turn: int, faults: Faults
) -> ImageRecord:
    """Decide by the recorded size whether boxes refer to the upright image or to the stored one."""
    upright = stored[::-1] if turn in SIDEWAYS else stored
    written = (record.get("width"), record.get("height"))
    as_stored = written == stored != upright
    if as_stored:
        faults.add("image not upright", str(record["file_name"]))
    elif written == upright[::-1] != upright:
        faults.add("image turned after labelling", f"{record['file_name']} {written}")
    elif None not in written and written != upright:
        sizes = f"{written[0]} x {written[1]}, is {upright[0]} x {upright[1]}"
        faults.add("wrong image size", f"{record['file_name']} ({sizes})")
    width, height = stored if as_stored else upright
    return ImageRecord(record["id"], path, height, width, not as_stored)
