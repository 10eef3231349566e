"""The numbers of all images put together, and the table of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from roilearn.arguments.lists import counted
from roilearn.reference.detection.average_precision import accumulate, summarise
from roilearn.train.evaluation.coco_backends import accumulate_by_peer

Numbers = dict[str, float]


@dataclass(frozen=True)
class Evaluation:
    """The result of ``evaluate``; as text, a table.

    Attributes
    ----------
    numbers : for ``"boxes"``, and ``"masks"`` if there are any, the twelve numbers of
        ``roilearn.reference.average_precision``: AP, AP50, AP75, APs and so on.
    classes : the same for each class, by its name; AP is that class's alone.
    images : how many images were looked at.
    interrupted : whether Ctrl-C ended it before the last image.
    """

    numbers: dict[str, Numbers]
    classes: dict[str, dict[str, Numbers]]
    images: int
    interrupted: bool = False

    def __str__(self) -> str:
        """Draw a table: a line for boxes and one for masks, and below each one for every class."""
        early = ", interrupted" if self.interrupted else ""
        lines = [counted(self.images, "image") + early]
        names = next(iter(self.numbers.values()))
        wide = 2 + max(len(name) for each in self.classes.values() for name in (*each, "mask"))
        lines += [" " * wide + "".join(f"{name:>7}" for name in names)]
        for regions, numbers in self.numbers.items():
            lines.append(_line(regions, wide, numbers))
            lines += [_line(f"  {k}", wide, v) for k, v in self.classes[regions].items()]
        return "\n".join(lines)


def put_together(
    images: Sequence[Any], regions: str, backend: str
) -> tuple[list[int], np.ndarray, np.ndarray]:
    """Let ours or a library count: labels, precision and recall as ``accumulate`` gives them."""
    if backend == "roilearn":
        return accumulate(images)
    return accumulate_by_peer(images, regions, backend)


def conclude(
    looked: Sequence[Mapping[str, Any]],
    backend: str,
    names: Sequence[str] | None,
    interrupted: bool,
) -> Evaluation:
    """Put what was seen in each image together, for each kind of region."""
    numbers, classes = {}, {}
    for regions in looked[0]:
        of_images = [image[regions] for image in looked]
        labels, precision, recall = put_together(of_images, regions, backend)
        numbers[regions] = summarise(precision, recall)
        classes[regions] = {
            _name(label, names): summarise(precision[:, :, [k]], recall[:, [k]])
            for k, label in enumerate(labels)
        }
    return Evaluation(numbers, classes, len(looked), interrupted)


def _name(label: int, names: Sequence[str] | None) -> str:
    return (names[label - 1] if names and 0 < label <= len(names) else "") or str(label)


def _line(name: str, wide: int, numbers: Numbers) -> str:
    cells = (f"{value:7.3f}" if value >= 0 else f"{'-':>7}" for value in numbers.values())
    return name.ljust(wide) + "".join(cells)
