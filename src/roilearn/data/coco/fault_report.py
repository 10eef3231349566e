"""Report of dataset validation: the kinds of faults, and which were found how often.

The checks themselves are in ``records``, ``image_records`` and ``annotations``.
"""

from collections import Counter, defaultdict

MAX_EXAMPLES = 5
"""Maximum number of examples kept for each kind of fault."""

FAULTS = {
    "record that cannot be read": "left out",
    "image id given twice": "the later image left out",
    "missing file": "image left out",
    "broken image": "image left out",
    "file listed twice": "kept: one image under two ids, which count as two",
    "wrong image size": "the file's own size counts; if the images were resized, boxes are wrong",
    "image turned after labelling": "the file's own size counts; boxes are wrong: width and "
    "height are swapped in the annotations, so it was turned or has lost its EXIF orientation",
    "image not upright": "read as it is stored, since its boxes refer to that",
    "category id given twice": "the later name left out",
    "category name given twice": "kept apart: the id is added to the later name",
    "unknown image id": "annotation left out",
    "unknown category id": "annotation left out",
    "annotation given twice": "the later one left out",
    "annotation id given twice": "kept: they differ",
    "bad box": "annotation left out",
    "box of no area": "annotation left out",
    "box outside the image": "annotation left out",
    "box over the edge": "clipped to the image",
    "no segmentation": "annotation left out, since others have masks; where boxes alone are "
    "trained, it counts",
    "bad polygon": "annotation left out",
    "bad RLE": "annotation left out",
    "mask far from its box": "kept, both unchanged",
    "box unlike its mask": "kept, both unchanged",
    "boxes in another format": "read as they were said to be, which is likely wrong",
    "bad iscrowd": "annotation left out",
    "nothing but crowds": "kept; they are not trained on. Set iscrowd to 0 if they are no crowds",
    "bad keypoints": "annotation left out",
    "keypoint outside the image": "taken as not labelled",
}
"""Every kind of fault, and what is done about it."""
OF_IMAGES = ("missing file", "broken image", "wrong image size", "image turned after labelling")
"""Faults of images, whose share is that of all images in the file."""
OF_ANNOTATIONS = (
    "record that cannot be read",
    "unknown image id",
    "unknown category id",
    "bad box",
    "box of no area",
    "box outside the image",
    "box over the edge",
    "no segmentation",
    "bad polygon",
    "bad RLE",
    "mask far from its box",
    "box unlike its mask",
    "bad iscrowd",
)
"""Faults of annotations, whose share is that of all annotations in the file."""
NOTES = {
    "crowd": "kept, marked by iscrowd",
    "empty image": "kept, with no objects",
    "nearly constant image": "kept: all its pixels have nearly one value",
    "number written as text": "read as a number",
    "iscrowd of null": "read as 0",
    "polygon of fewer than three points": "left out; the object has others",
    "area of 0 or 1": "computed from the mask",
    "class without objects": "kept: the model has an output for it that learns nothing",
    "root class": "left out: it has no objects and is the group of all others, as Roboflow writes "
    "it",
    "class called background": "kept as a class; the model's background is another, label 0",
    "half of the objects are crowds": "kept; they are not trained on. Some tools mark every mask "
    "in run lengths so: set iscrowd to 0 if they are single objects",
    "found by its name": "the path in the file is not there, and this is the only such image",
}
"""What is reported although it is no fault."""


class FaultError(ValueError):
    """Something in a data set that cannot be used; ``fault`` is a key of ``FAULTS``."""

    def __init__(self, fault: str, reason: str) -> None:
        super().__init__(reason)
        self.fault = fault


class Faults:
    """A report of the faults in a data set: how many of each kind, and the first few places.

    Attributes
    ----------
    counts : number of faults of each kind, by its key in ``FAULTS`` or ``NOTES``.
    examples : the first ``MAX_EXAMPLES`` places of each kind.
    images, annotations : number of images and annotations in the file.

    Examples
    --------
    >>> faults = Faults()
    >>> faults.add("missing file", "a.jpg")
    >>> print(faults)
        1  missing file  (image left out): a.jpg
    """

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.examples: dict[str, list[str]] = defaultdict(list)
        self.images = self.annotations = 0

    def add(self, fault: str, where: str) -> None:
        """Add a fault and the place where it was found."""
        self.counts[fault] += 1
        if self.counts[fault] <= MAX_EXAMPLES:
            self.examples[fault].append(where)

    def shares(self) -> dict[str, float]:
        """Share of the images or annotations that has each kind of fault, the largest first."""
        totals = {**dict.fromkeys(OF_IMAGES, self.images)}
        totals |= dict.fromkeys(OF_ANNOTATIONS, self.annotations)
        found = {name: self.counts[name] / max(total, 1) for name, total in totals.items()}
        return dict(sorted(found.items(), key=lambda item: -item[1]))

    def __bool__(self) -> bool:
        """Whether there is any fault; notes do not count."""
        return any(self.counts[fault] for fault in FAULTS)

    def __str__(self) -> str:
        """Write a line for each kind of fault: count, kind, what is done about it, examples."""
        lines = []
        for fault, remedy in {**FAULTS, **NOTES}.items():
            if self.counts[fault]:
                places = ", ".join(self.examples[fault])
                more = ", ..." if self.counts[fault] > MAX_EXAMPLES else ""
                lines.append(f"{self.counts[fault]:5}  {fault}  ({remedy}): {places}{more}")
        return "\n".join(lines) or "no faults"
