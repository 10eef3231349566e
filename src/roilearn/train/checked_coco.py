"""Data sets in COCO's format, checked before a run: what would be learned from them is as meant."""

from pathlib import Path

from roilearn.arguments import check_fraction
from roilearn.data import BOX_FORMATS, CocoFolder

MAX_FAULTS = 0.2
"""Share of the images, or of the annotations, above which a kind of fault stops a run."""


def open_coco(
    path: Path,
    images: Path | None = None,
    boxes: str = "xywh",
    max_faults: float = MAX_FAULTS,
    masks: bool | None = None,
    *,
    to_train: bool = True,
) -> CocoFolder:
    """Open a COCO file; raise unless it has objects, of which few have faults.

    Parameters
    ----------
    masks : True: its objects must have segmentations. False: boxes alone are read. None: masks are
        read if any object has one.
    to_train : whether to train a model on it, or to measure one; errors say what to do.
    """
    check_fraction("--max-faults", max_faults)
    # No model that the command trains learns keypoints.
    wanted = None if masks else masks
    folder = CocoFolder(images, path, masks=wanted, keypoints=False, box_format=boxes)
    objects = [each for _, there in folder.items for each in there]
    if all(each.crowd for each in objects):
        what = "nothing but crowds" if objects else "none: no list of annotations, or an empty one"
        raise ValueError(
            f"annotations must have objects to train on or to validate on; {path} has {what}."
        )
    if masks and not folder.masks:
        raise ValueError(
            f"annotations must have segmentations, as those to train on have; {path} has boxes "
            "alone. Export it with masks, or train boxes alone with --no-masks."
        )
    check_faults(path, folder, max_faults, to_train)
    return folder


def check_faults(path: Path, folder: CocoFolder, max_faults: float, to_train: bool = True) -> None:
    """Raise if boxes are likely of another format, or if too many entries have a fault.

    Raises
    ------
    ValueError: see above; the text says what to do.
    """
    if folder.likely_format:
        name = folder.likely_format.partition(":")[0]
        wanted = name if name in BOX_FORMATS else "masks"
        raise ValueError(
            f"annotations must have boxes as --boxes says; those of {path} are likely "
            f"{folder.likely_format}. Pass --boxes {wanted}."
        )
    fault, share = next(iter(folder.faults.shares().items()))
    if share > max_faults:
        advice = "Mend the export, or go on with what is left of it with --max-faults 1"
        if fault == "no segmentation":
            boxes = "train boxes alone with --no-masks, or train" if to_train else "or measure"
            advice = (
                f"Give each object an outline, {boxes} without these objects with --max-faults 1"
            )
        raise ValueError(
            f"annotations must have few faults; of {path}, {share:.0%} have this: {fault}, such as "
            f"{folder.faults.examples[fault][0]}. {advice} (default {MAX_FAULTS:g})."
        )
