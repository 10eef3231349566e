"""Notes on a data set: what is no fault and may still surprise whoever trains on it."""

from collections import Counter
from collections.abc import Sequence

from roilearn.data.coco.annotations import Annotation
from roilearn.data.coco.fault_report import Faults
from roilearn.data.coco.image_records import ImageRecord

BACKGROUND = ("background", "_background_", "__background__")
"""Names of a class that is not one."""


def note_classes(
    items: Sequence[tuple[ImageRecord, Sequence[Annotation]]],
    names: Sequence[str],
    faults: Faults,
) -> None:
    """Note classes without objects, a class for the background, and very many crowds."""
    objects = [each for _, there in items for each in there]
    counts = Counter(each.label for each in objects if not each.crowd)
    for label, name in enumerate(names, start=1):
        if not name:
            continue
        if name.lower() in BACKGROUND:
            faults.add("class called background", name)
        elif not counts[label]:
            faults.add("class without objects", name)
    crowds = sum(each.crowd for each in objects)
    if objects and crowds == len(objects):
        faults.add("nothing but crowds", f"{crowds} of {len(objects)}")
    elif objects and crowds >= len(objects) / 2:
        faults.add("half of the objects are crowds", f"{crowds} of {len(objects)}")
