"""Which images of a data set are held out to validate on, and which ones a run has held out."""

from collections import Counter
from collections.abc import Sequence
from copy import copy
from pathlib import Path

import numpy as np

from roilearn.data import CocoFolder

VALIDATION_IMAGES = "validation_images.txt"
"""Name of the file in a run folder that lists the images that the run holds out."""


def choose_held_out(classes: Sequence[set[int]], fraction: float, seed: int) -> list[int]:
    """Choose images to hold out so that each class is in them and in the others, where possible.

    A class of a single image stays with the images to train on. The rarest classes choose first,
    so more images than the fraction are held out if there are many classes and few images; never
    more than half.

    Parameters
    ----------
    classes : labels of the objects in each image.
    fraction : fraction of the images to hold out; at least one image is.
    seed : seed of the choice.

    Returns
    -------
    Indices of the images, in the order in which they were chosen.

    Examples
    --------
    >>> held_out = choose_held_out([{1}] * 18 + [{2}] * 2, 0.1, seed=0)
    >>> len(held_out), len({18, 19} & set(held_out))
    (2, 1)
    """
    order = np.random.default_rng(seed).permutation(len(classes)).tolist()
    left = Counter(label for each in classes for label in each)
    chosen: list[int] = []

    def spares(index: int) -> bool:
        return index not in chosen and all(left[label] > 1 for label in classes[index])

    def hold_out(index: int) -> None:
        chosen.append(index)
        left.subtract(classes[index])

    for label in sorted(left, key=lambda each: (left[each], each)):
        candidates = [index for index in order if label in classes[index] and spares(index)]
        covered = any(label in classes[index] for index in chosen)
        if candidates and not covered and len(chosen) < len(classes) // 2:
            hold_out(candidates[0])
    wanted = max(1, round(fraction * len(classes)))
    for index in sorted(order, key=lambda each: not spares(each)):  # stable: at random among equals
        if len(chosen) >= wanted:
            break
        if spares(index) or not chosen:
            hold_out(index)
    return chosen


def held_out_images(run_folder: str | Path) -> list[str]:
    """Read the file names of the images that a run held out.

    Raises
    ------
    FileNotFoundError: the folder has no list of them, because the export has a part for validation.
    """
    file = Path(run_folder) / VALIDATION_IMAGES
    if not file.is_file():
        raise FileNotFoundError(
            f"run_folder must be the folder of a run that held images out; there is no {file}. A "
            "run on an export with a part for validation holds out none: measure all of that part."
        )
    return file.read_text(encoding="utf-8").splitlines()


def held_out_part(folder: CocoFolder, run_folder: str | Path) -> CocoFolder:
    """Return the images of a data set that a run held out, as a data set.

    Parameters
    ----------
    folder : data set that the run was given.
    run_folder : folder of the run; its ``validation_images.txt`` lists the images.

    Raises
    ------
    FileNotFoundError: the run held out none.
    ValueError: a name in the list is that of no image, or of several.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> from roilearn.data import ShapeScenes, export_coco
    >>> with TemporaryDirectory() as run:
    ...     scenes = CocoFolder(None, export_coco(ShapeScenes(3), run))
    ...     _ = (Path(run) / VALIDATION_IMAGES).write_text(scenes.items[1][0].path.name)
    ...     len(scenes), len(held_out_part(scenes, run))
    (3, 1)
    """
    names = held_out_images(run_folder)
    found = Counter(record.path.name for record, _ in folder.items)
    wrong = [name for name in names if found[name] != 1]
    if wrong:
        raise ValueError(
            f"run_folder must be the folder of a run on the same images; {found[wrong[0]]} of them "
            f"are called {wrong[0]}, which the run held out."
        )
    part, kept = copy(folder), set(names)
    part.items = [item for item in folder.items if item[0].path.name in kept]
    part.small_masks = {}  # its keys are places in the list of items
    return part
