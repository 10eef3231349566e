"""Evaluation: a model's detections on a data set, measured by COCO's metrics.

In reading order: ``evaluate`` runs the model and matches detections with ground truth;
``results`` makes the table; ``coco_results`` collects the detections for other programs;
``coco_backends`` lets pycocotools or faster-coco-eval do both.
"""

from roilearn.train.evaluation.results import Evaluation

__all__ = ["Evaluation"]
