"""Contents of a COCO file as a whole: reading it, its images' folder, labels of its categories."""

import json
import zipfile
from pathlib import Path
from typing import Any

from roilearn.data.coco.plain_numbers import plain_id
from roilearn.data.folder_layouts import find_annotations, image_folders
from roilearn.data.image_names import choose_folder

NAMES_TRIED = 20
"""Number of images of a COCO file by which their folder is chosen."""

_READ: dict[tuple[Path, int, int], dict[str, Any]] = {}
"""Contents of the file that ``has_segmentations`` has read, for ``read_coco`` to take away."""


def read_coco(file: Path) -> dict[str, Any]:
    """Read a COCO file; raise if it is not one, with the line of a JSON error."""
    if file.is_dir():
        raise IsADirectoryError(
            f"annotations must be a file; {file} is a folder. roilearn.data.find_annotations names "
            "the file in the folder of an export."
        )
    if zipfile.is_zipfile(file):
        raise ValueError(
            f"annotations must be JSON; {file} is a zip archive. Unpack it and give its folder."
        )
    if file.is_file() and (read := _READ.pop(_version(file), None)) is not None:
        return read
    try:
        contents = json.loads(file.read_text(encoding="utf-8-sig"))
    except FileNotFoundError as error:
        raise FileNotFoundError(f"annotations must be a file; there is none at {file}.") from error
    except json.JSONDecodeError as error:
        raise ValueError(
            f"annotations must be JSON; {file} stops being so in line {error.lineno}, column "
            f"{error.colno}: {error.msg}."
        ) from error
    except UnicodeDecodeError as error:
        raise ValueError(f"annotations must be JSON; {file} is not text.") from error
    if not isinstance(contents, dict) or not isinstance(contents.get("images"), list):
        raise ValueError(  # noqa: TRY004  the argument is a path, and of the right type
            "annotations must be a COCO file, an object with lists called images, annotations and "
            f"categories; {file} has no list called images."
        )
    return contents


def has_segmentations(path: Path) -> bool:
    """Whether any object of a COCO file, or of an export's file to train on, has a segmentation.

    A large file takes long to read, so its contents are kept for the next ``read_coco`` of it.
    """
    file = find_annotations(path)[0]
    contents = read_coco(file)
    _READ.clear()
    _READ[_version(file)] = contents
    return any_segmentation(contents.get("annotations"))


def _version(file: Path) -> tuple[Path, int, int]:
    """Path, time and size of a file, which tell whether it has changed."""
    state = file.stat()
    return file.resolve(), state.st_mtime_ns, state.st_size


def any_segmentation(records: Any) -> bool:
    """Whether any of the annotations has a segmentation that is not empty."""
    listed = records if isinstance(records, list) else []
    return any(isinstance(each, dict) and each.get("segmentation") for each in listed)


def find_images(file: Path, contents: dict[str, Any]) -> Path:
    """Find the folder of the images near a COCO file by the first names in it."""
    listed = [each for each in contents["images"] if isinstance(each, dict)]
    names = [str(each["file_name"]) for each in listed if "file_name" in each]
    return choose_folder(image_folders(file), names[:NAMES_TRIED])


def label_categories(categories: dict[Any, str], keep_ids: bool) -> dict[Any, int]:
    """Choose the label of each category id: its rank from 1, or the id itself."""
    if not keep_ids:
        return {category: place for place, category in enumerate(categories, start=1)}
    if not all(isinstance(category, int) and category > 0 for category in categories):
        raise ValueError(
            f"keep_ids needs category ids above 0, since 0 is background; got {list(categories)}. "
            "Leave it out, and labels count from 1."
        )
    return {category: category for category in categories}


def in_order(
    categories: dict[Any, str], labels: dict[Any, int]
) -> tuple[tuple[str, ...], tuple[Any, ...]]:
    """Names and category ids in the order of the labels from 1; "" and 0 where there is none."""
    ids = {label: category for category, label in labels.items()}
    order = [ids.get(label) for label in range(1, max(ids, default=0) + 1)]
    names = tuple(categories[each] if each is not None else "" for each in order)
    return names, tuple(each if each is not None else 0 for each in order)


def known_ids(records: list[Any]) -> set[Any]:
    """Ids of all images in the file, including those that are left out."""
    ids = (plain_id(each.get("id")) for each in records if isinstance(each, dict))
    return {each for each in ids if isinstance(each, int | float | str)}
