"""Image names: which file is meant by a name in a COCO file, however the tool has written it."""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from functools import cached_property
from pathlib import Path, PurePosixPath
from urllib.parse import unquote

UPLOAD_PREFIX = re.compile(r"^[0-9a-f]{8}-")
"""What Label Studio puts before the name of an uploaded file."""


class ImageNames:
    """The image files in a folder and below it, found by the names in a COCO file.

    A name is a path relative to the folder. If there is none at that path, the only file in the
    folder or below it that has the last part of the name is meant. Upper and lower case, the form
    of accents, ``%20`` for a space and the prefix of an upload may differ. Of several such files
    the one is meant that has most of the folders before it in common with the name.

    Parameters
    ----------
    folder : folder to which names are relative.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     (Path(folder) / "Train").mkdir()
    ...     (Path(folder) / "Train" / "two pears.JPG").touch()
    ...     ImageNames(Path(folder)).find("uploads/two%20pears.jpg").name
    'two pears.JPG'
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @cached_property
    def files(self) -> dict[str, list[Path]]:
        """All files in the folder and below it, by ``bare_name``."""
        found: dict[str, list[Path]] = defaultdict(list)
        for file in sorted(self.folder.rglob("*")):
            if not any(part.startswith(".") for part in file.relative_to(self.folder).parts):
                found[bare_name(file.name)].append(file)
        return found

    @cached_property
    def uploads(self) -> dict[str, list[Path]]:
        """The same files without the prefix of an upload, as far as they have one."""
        found: dict[str, list[Path]] = defaultdict(list)
        for name, files in self.files.items():
            if UPLOAD_PREFIX.match(name):
                found[UPLOAD_PREFIX.sub("", name)] += files
        return found

    def stored(self, name: str) -> Path | None:
        """Return the file at the path that a name says, or None if there is none."""
        path = self.folder / name.replace("\\", "/")
        return path if path.is_file() else None

    def find(self, name: str) -> Path:
        """Return the file that a name means.

        Raises
        ------
        FileNotFoundError: there is none, or several; the error says which path was tried and what
            the nearest name is.
        """
        if (path := self.stored(name)) is not None:
            return path
        bare = bare_name(name)
        short = UPLOAD_PREFIX.sub("", bare)
        places = ((self.files, bare), (self.files, short), (self.uploads, bare))
        found = next((files[key] for files, key in places if key in files), [])
        best = nearest_folders(name, found, self.folder)
        if len(best) == 1:
            return best[0]
        raise FileNotFoundError(self.explain(name, best))

    def explain(self, name: str, found: Sequence[Path]) -> str:
        """Say which path was tried, and which files have that name or the nearest to it."""
        tried = f"there is no {self.folder / name.replace(chr(92), '/')}"
        if found:
            listed = ", ".join(str(file.relative_to(self.folder)) for file in found[:3])
            return f"{tried}, and {len(found)} files have its name: {listed}"
        near = get_close_matches(bare_name(name), self.files, 1, cutoff=0.5)
        if near:
            return f"{tried}; the nearest name is {self.files[near[0]][0]}"
        return tried


def bare_name(name: str) -> str:
    """Return the last part of a path without what may differ: case, accents' form, ``%20``."""
    last = PurePosixPath(unquote(name).replace("\\", "/")).name
    return unicodedata.normalize("NFC", last).casefold()


def nearest_folders(name: str, files: Iterable[Path], folder: Path) -> list[Path]:
    """Keep the files that have most of the last folders of a name, counted from its end."""
    wanted = [bare_name(part) for part in reversed(name.replace("\\", "/").split("/")[:-1])]
    by_common: dict[int, list[Path]] = defaultdict(list)
    for file in files:
        parts = [bare_name(part) for part in reversed(file.relative_to(folder).parts[:-1])]
        common = 0
        while common < min(len(parts), len(wanted)) and parts[common] == wanted[common]:
            common += 1
        by_common[common].append(file)
    return by_common[max(by_common)] if by_common else []


def choose_folder(folders: Sequence[Path], names: Sequence[str]) -> Path:
    """Choose the folder that has the most of the named images, the first of several such.

    Parameters
    ----------
    folders : folders that may hold the images, the likeliest first, at least one.
    names : some names of images in the COCO file.
    """
    stored = [sum(ImageNames(each).stored(name) is not None for name in names) for each in folders]
    if max(stored):
        return folders[stored.index(max(stored))]
    found = [sum(is_found(known, name) for name in names) for known in map(ImageNames, folders)]
    return folders[found.index(max(found))]


def is_found(known: ImageNames, name: str) -> bool:
    """Whether a name means one file."""
    try:
        known.find(name)
    except FileNotFoundError:
        return False
    return True
