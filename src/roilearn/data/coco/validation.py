"""What is wrong with a folder of images and annotations, counted and named."""

from collections import Counter, defaultdict

EXAMPLES = 5
"""Examples that are kept of each fault."""

FAULTS = {
    "record that cannot be read": "left out",
    "image id given twice": "the later image left out",
    "missing file": "image left out",
    "broken image": "image left out",
    "file listed twice": "kept: one image under two ids, which count as two",
    "wrong image size": "the file's own size counts; if the images were resized, boxes are wrong",
    "image not upright": "used as it is stored, where its boxes lie",
    "category id given twice": "the later name left out",
    "category name given twice": "kept apart: the id is added to the later name",
    "unknown image id": "annotation left out",
    "unknown category id": "annotation left out",
    "annotation given twice": "the later one left out",
    "annotation id given twice": "kept: they differ",
    "bad box": "annotation left out",
    "box of no area": "annotation left out",
    "box outside the image": "annotation left out",
    "box over the edge": "cut at the edge of the image",
    "no segmentation": "annotation left out",
    "bad polygon": "annotation left out",
    "bad RLE": "annotation left out",
    "mask far from its box": "kept as both are written",
    "bad iscrowd": "annotation left out",
    "nothing but crowds": "kept; nothing can be learned from them",
    "bad keypoints": "annotation left out",
    "keypoint outside the image": "taken as not marked",
}
"""Every fault, and what is done about it."""
NOTES = {
    "crowd": "kept, marked by iscrowd",
    "empty image": "kept, with no objects",
}
"""What is no fault, but good to know."""


class FaultError(ValueError):
    """Something in a folder that cannot be used; ``fault`` is its name in ``FAULTS``."""

    def __init__(self, fault: str, reason: str) -> None:
        super().__init__(reason)
        self.fault = fault


class Faults:
    """Counts of what was found, with the first few places of each.

    Attributes
    ----------
    counts : number of each fault, by its name in ``FAULTS`` or ``NOTES``.
    examples : the first ``EXAMPLES`` places of each.

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

    def add(self, fault: str, where: str) -> None:
        """Count one more of a fault."""
        self.counts[fault] += 1
        if self.counts[fault] <= EXAMPLES:
            self.examples[fault].append(where)

    def __bool__(self) -> bool:
        """Whether there is a fault, notes apart."""
        return any(self.counts[fault] for fault in FAULTS)

    def __str__(self) -> str:
        """Write a line for each fault: how many, which, what is done about it, examples."""
        lines = []
        for fault, remedy in {**FAULTS, **NOTES}.items():
            if self.counts[fault]:
                places = ", ".join(self.examples[fault])
                more = ", ..." if self.counts[fault] > EXAMPLES else ""
                lines.append(f"{self.counts[fault]:5}  {fault}  ({remedy}): {places}{more}")
        return "\n".join(lines) or "no faults"
