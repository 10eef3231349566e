"""Precision and recall of ranked detections, and the three usual summaries of their curve."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from roilearn.arguments import check_count, check_curve, check_items, check_true_positives
from roilearn.reference.detection.detection_matching import ImageEvaluation

RECALLS_101 = np.linspace(0, 1, 101)
"""The recalls at which COCO reads precision."""
RECALLS_11 = np.arange(11) / 10
"""The recalls at which PASCAL VOC read precision until 2009."""


def rank_detections(
    images: Sequence[ImageEvaluation], threshold_index: int = 0, limit: int = 100
) -> np.ndarray:
    """Sort the detections of one class in all images by descending score, ignored ones left out.

    Parameters
    ----------
    images : matches of the detections in each image; equal scores keep this order.
    threshold_index : index of one of ``IOU_THRESHOLDS``; 0 is an IoU of 0.5.
    limit : how many detections of an image count, 1 or more; those of the highest scores do.

    Returns
    -------
    (D,) booleans: whether each detection is a true positive.

    Raises
    ------
    ValueError: no image; a limit below 1.
    """
    check_items("images", images)
    check_count("limit", limit)
    scores = np.concatenate([image.scores[:limit] for image in images])
    matched = np.concatenate([image.matched[threshold_index, :limit] for image in images])
    ignored = np.concatenate([image.ignored[threshold_index, :limit] for image in images])
    order = np.argsort(-scores, kind="stable")
    return matched[order][~ignored[order]]


def precision_recall(
    true_positives: ArrayLike,
    objects: int,
) -> tuple[np.ndarray, np.ndarray]:
    """Precision and recall after each detection.

    Parameters
    ----------
    true_positives : (D,) whether each detection is a true positive, the highest score first.
    objects : number of objects to be found, 1 or more, and at least the true positives.

    Returns
    -------
    precision : (D,) fraction of the detections so far that are true positives.
    recall : (D,) fraction of the objects that have been found so far.

    Raises
    ------
    ValueError: a true positive that is neither true nor false, such as NaN; too few objects.

    Source
    ------
    Everingham et al., The PASCAL Visual Object Classes (VOC) Challenge (2010), section 4.2.

    Examples
    --------
    Right, wrong, right, and one of three objects is never found:

    >>> precision, recall = precision_recall([True, False, True], 3)
    >>> precision.round(3), recall.round(3)
    (array([1.   , 0.5  , 0.667]), array([0.333, 0.333, 0.667]))
    """
    right = np.asarray(true_positives)
    check_true_positives(right, objects)
    found = np.cumsum(right.astype(bool))
    return found / np.arange(1, len(found) + 1), found / objects


def interpolate_precision(precision: ArrayLike) -> np.ndarray:
    """Give each detection the highest precision at its recall or any higher one.

    Examples
    --------
    >>> interpolate_precision([0.5, 0.4, 0.75, 0.6])
    array([0.75, 0.75, 0.75, 0.6 ])
    """
    return np.maximum.accumulate(np.asarray(precision, dtype=float)[::-1])[::-1]


def precision_at(
    recalls: ArrayLike,
    precision: ArrayLike,
    recall: ArrayLike,
) -> np.ndarray:
    """Interpolated precision at given recalls; 0 beyond the highest recall that is reached.

    Examples
    --------
    >>> precision_at([0, 0.5, 0.6, 1], [1, 0.5, 0.667], [0.5, 0.5, 0.75])
    array([1.   , 1.   , 0.667, 0.   ])
    """
    check_curve(precision, recall)
    first = np.searchsorted(recall, recalls)  # the first detection that reaches each recall
    return np.append(interpolate_precision(precision), 0)[first]


def ap_101_points(precision: ArrayLike, recall: ArrayLike) -> float:
    """AP as COCO computes it: mean of the interpolated precision at 101 recalls.

    Source
    ------
    pycocotools 2.0.11, ``cocoeval``; in words: https://cocodataset.org, detection evaluation.

    Examples
    --------
    One of two objects is found, without an error; 51 of the 101 recalls are reached:

    >>> round(ap_101_points([1], [0.5]), 3)
    0.505
    """
    return float(precision_at(RECALLS_101, precision, recall).mean())


def ap_11_points(precision: ArrayLike, recall: ArrayLike) -> float:
    """AP of PASCAL VOC 2007 to 2009: mean of the interpolated precision at 11 recalls.

    Source
    ------
    Everingham et al., The PASCAL Visual Object Classes (VOC) Challenge (2010), section 4.2.

    Examples
    --------
    >>> round(ap_11_points([1], [0.5]), 3)
    0.545
    """
    return float(precision_at(RECALLS_11, precision, recall).mean())


def area_under_curve(precision: ArrayLike, recall: ArrayLike) -> float:
    """AP of PASCAL VOC from 2010 on: area under the interpolated precision over recall.

    Source
    ------
    Everingham et al., The PASCAL Visual Object Classes Challenge: A Retrospective (2015).

    Examples
    --------
    >>> area_under_curve([1], [0.5])
    0.5
    """
    check_curve(precision, recall)
    widths = np.diff(np.asarray(recall, dtype=float), prepend=0)
    return float((widths * interpolate_precision(precision)).sum())
