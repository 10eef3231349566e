"""Losses with torchvision's names: of pairs of boxes, and of logits.

In reading order:

``iou_losses``  1 minus the generalised, the distance and the complete IoU of pairs of boxes
``focal_loss``  binary cross-entropy in which easy examples count less
"""
