"""The steps of a detector around its network: from predictions to proposals, targets and AP.

In reading order:

``matching``            matching of anchors or proposals with ground truth
``proposals``           region proposals from objectness and deltas
``targets``             detection targets: sampled proposals, labels, deltas and masks
``losses``              losses of classes, deltas and masks
``iou_losses``          losses of pairs of boxes
``focal_loss``          binary cross-entropy in which easy examples count less
``detection_matching``  matching of detections with ground truth, image by image
``precision_recall``    ranked detections, precision, recall, and three summaries of the curve
``average_precision``   COCO's average precision and recall
``detection_errors``    kinds of errors: misplaced, of the wrong class, a duplicate and so on
``mended_detections``   detections without one kind of error, and their average precision
"""
