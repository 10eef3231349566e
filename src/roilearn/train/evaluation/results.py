"""Evaluation results: COCO's metrics over all images, and their table."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from roilearn.arguments.lists import counted
from roilearn.reference.detection.average_precision import accumulate, summarise
from roilearn.train.evaluation.coco_backends import accumulate_with_library

Metrics = dict[str, float]


@dataclass(frozen=True)
class Evaluation:
    """The result of ``evaluate``; as text, a table.

    Attributes
    ----------
    metrics : for ``"boxes"``, and for ``"masks"`` if there are any, the twelve metrics of
        ``roilearn.reference.average_precision``: AP, AP50, AP75, APs and so on.
    class_metrics : the same metrics for each class alone, by its name.
    images : number of images that were evaluated.
    interrupted : whether Ctrl-C ended the evaluation before the last image.
    """

    metrics: dict[str, Metrics]
    class_metrics: dict[str, dict[str, Metrics]]
    images: int
    interrupted: bool = False

    def __str__(self) -> str:
        """Write a table: a row for boxes and one for masks, each followed by a row per class."""
        early = ", interrupted" if self.interrupted else ""
        lines = [counted(self.images, "image") + early]
        names = next(iter(self.metrics.values()))
        wide = 2 + max(
            len(name) for each in self.class_metrics.values() for name in (*each, "mask")
        )
        lines += [" " * wide + "".join(f"{name:>7}" for name in names)]
        for iou_type, metrics in self.metrics.items():
            lines.append(_line(iou_type, wide, metrics))
            lines += [_line(f"  {k}", wide, v) for k, v in self.class_metrics[iou_type].items()]
        every = [
            *self.metrics.values(),
            *(m for c in self.class_metrics.values() for m in c.values()),
        ]
        if any(value < 0 for metrics in every for value in metrics.values()):
            lines.append("-: the images have no object of that class and size to measure it on")
        return "\n".join(lines)


def accumulate_by_backend(
    images: Sequence[Any], iou_type: str, backend: str
) -> tuple[list[int], np.ndarray, np.ndarray]:
    """Accumulate over images with a backend: labels, precision and recall, see ``accumulate``."""
    if backend == "roilearn":
        return accumulate(images)
    return accumulate_with_library(images, iou_type, backend)


def summarise_images(
    matched: Sequence[Mapping[str, Any]],
    backend: str,
    names: Sequence[str] | None,
    interrupted: bool,
) -> Evaluation:
    """Compute the metrics over all images, for each IoU type."""
    metrics, class_metrics = {}, {}
    for iou_type in matched[0]:
        images = [image[iou_type] for image in matched]
        labels, precision, recall = accumulate_by_backend(images, iou_type, backend)
        metrics[iou_type] = summarise(precision, recall)
        class_metrics[iou_type] = {
            _name(label, names): summarise(precision[:, :, [k]], recall[:, [k]])
            for k, label in enumerate(labels)
        }
    return Evaluation(metrics, class_metrics, len(matched), interrupted)


def _name(label: int, names: Sequence[str] | None) -> str:
    return (names[label - 1] if names and 0 < label <= len(names) else "") or str(label)


def _line(name: str, wide: int, metrics: Metrics) -> str:
    cells = (f"{value:7.3f}" if value >= 0 else f"{'-':>7}" for value in metrics.values())
    return name.ljust(wide) + "".join(cells)
