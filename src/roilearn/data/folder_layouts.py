"""Folder layouts: where labelling tools put the annotations and the images of an export.

Roboflow writes ``train/_annotations.coco.json`` beside the images, and ``valid`` and ``test``; CVAT
``annotations/instances_Train.json`` and ``images/Train``; Label Studio ``result.json`` and
``images``; COCO ``annotations/instances_train2017.json`` and ``train2017``; FiftyOne
``labels.json`` and ``data``; labelme2coco a file beside ``JPEGImages``.
"""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

SPLITS = {"train": ("train", "training"), "validation": ("valid", "val", "validation")}
"""Words in the name of a file or folder that say for what its images are."""
OTHER_TASKS = ("captions_", "image_info_", "panoptic_", "person_keypoints_", "stuff_")
"""How names of COCO's own files begin that hold something else than objects."""
TOOL_FILES = (
    "_annotations.coco.json in train and valid (Roboflow), annotations/instances_*.json (CVAT, "
    "COCO), result.json (Label Studio), labels.json (FiftyOne), annotations.json (labelme)"
)
"""Files of annotations that labelling tools write, as messages name them."""
IMAGE_FOLDERS = ("images", "data", "JPEGImages")
"""Names of folders of images beside the annotations, or beside their folder."""


def find_annotations(path: str | Path) -> tuple[Path, Path | None]:
    """Find the annotations to train on, and those to validate on if the export has such.

    Parameters
    ----------
    path : a COCO file; or the folder of an export, which holds one JSON file, or one for training
        and others, in itself, in ``annotations`` or in a folder for each split; or the folder
        around it. Hidden files are passed over.

    Returns
    -------
    The file to train on; the file to validate on, or None.

    Raises
    ------
    FileNotFoundError: nothing there, or nothing that ends in ``.json``.
    ValueError: several files that might be meant.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     for split in ("train", "valid", "test"):
    ...         (Path(folder) / split).mkdir()
    ...         _ = (Path(folder) / split / "_annotations.coco.json").write_text("{}")
    ...     [file.parent.name for file in find_annotations(Path(folder))]
    ['train', 'valid']
    """
    path = Path(path)
    if path.is_file():
        return path, None
    what = "--coco and --validation-coco must"
    if not path.is_dir():
        raise FileNotFoundError(
            f"{what} be a COCO file, or the folder of an export; there is none at {path}: no such "
            "file or folder exists."
        )
    exports = [annotation_files(path)]
    if not exports[0]:  # an archive may have been unpacked into a folder around the export
        inside = [each for each in sorted(path.iterdir()) if each.is_dir() and each.name[0] != "."]
        exports = [files for each in inside if (files := annotation_files(each))]
    if not exports:
        raise FileNotFoundError(
            f"{what} be a COCO file, or the folder of an export. Looked for in {path} and in the "
            f"folders in it: {TOOL_FILES}, or another file that ends in .json; found none."
            f"{folder_above(path)}"
        )
    found = [file for files in exports for file in files]
    train, validation = ([f for f in found if split_of(f) == split] for split in SPLITS)
    if len(found) == 1:
        return found[0], None
    if len(exports) == 1 and len(train) == 1 and len(validation) <= 1:
        return train[0], next(iter(validation), None)
    raise ValueError(
        f"{what} name the file if there are several; in {path} "
        f"there are {', '.join(str(file.relative_to(path)) for file in found)}."
    )


def folder_above(path: Path) -> str:
    """Say which folder around ``path`` is that of an export, such as that of its images; or ""."""
    for folder in path.resolve().parents[:2]:
        if files := annotation_files(folder):
            there = f"There is {files[0].relative_to(folder)} in {folder}"
            return f" {there}, which may be the folder of the export: give that."
    return ""


def annotation_files(folder: Path) -> list[Path]:
    """List the JSON files of an export: in the folder, or in ``annotations``, or one level down."""
    for pattern in ("*.json", "annotations/*.json", "*/*.json"):
        files = [file for file in sorted(folder.glob(pattern)) if not is_hidden(file, folder)]
        objects = [file for file in files if not file.name.startswith(OTHER_TASKS)]
        if files:
            return objects or files
    return []


def is_hidden(file: Path, folder: Path) -> bool:
    """Whether a name on the way from a folder to a file begins with a dot, as macOS's ``._`` do."""
    return any(part.startswith(".") for part in file.relative_to(folder).parts)


def split_of(file: Path) -> str | None:
    """Tell the split of an annotation file by its name, or else by the name of its folder."""
    for name in (file.stem, file.parent.name):
        words = re.split(r"[^a-z]+", name.lower())
        for split, known in SPLITS.items():
            if any(word in known for word in words):
                return split
        if "test" in words:
            return "test"
    return None


def image_folders(annotations: Path) -> list[Path]:
    """List the folders that may hold the images of an annotation file, the likeliest first."""
    return list(dict.fromkeys(each for each in _candidates(annotations) if each.is_dir()))


def _candidates(annotations: Path) -> Iterator[Path]:
    beside = annotations.parent
    roots: Sequence[Path] = (beside, beside.parent)
    roots = roots if beside.name == "annotations" else roots[:1]
    split = annotations.stem.removeprefix("instances_")
    for root in roots:
        yield from (root / name / split for name in IMAGE_FOLDERS)
        yield root / split
        yield from (root / name for name in IMAGE_FOLDERS)
    yield from roots
