"""Whole detectors: Faster, Mask and Keypoint R-CNN.

Files in reading order: ``generalized_rcnn`` (four parts in a row), ``faster_rcnn``, ``mask_rcnn``
and ``keypoint_rcnn`` (the parts from torchvision's options), ``option_names`` (two names of one
option), ``assembly`` (a pyramid on a backbone's body, and a detector on the pyramid).
"""
