"""From images of any size to a batch, and from detections in the batch back to the images.

Files in reading order: ``input_checks`` (validation of images and ground truth), ``resizing``,
``image_batch`` (padding to one size), ``detector_transform`` (all of it as a module).
"""

from roilearn.models.transform.detector_transform import (
    IMAGE_MEAN,
    IMAGE_STD,
    MASK_MODES,
    DetectorTransform,
)

__all__ = ["IMAGE_MEAN", "IMAGE_STD", "MASK_MODES", "DetectorTransform"]
