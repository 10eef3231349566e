"""The RoI heads: the second stage, from proposals to classes, boxes and masks.

Files in reading order: ``poolers`` (features of a box from the pyramid), ``box_head``,
``mask_head``, ``detections`` (post-processing: scores, NMS), ``head_options``, ``roi_heads`` (all
of it as a module).
Two extensions: ``cascade`` (Cascade R-CNN); ``keypoint_heatmaps`` and ``keypoint_head``.
"""

from roilearn.models.roi_heads.head_options import HeadOptions
from roilearn.models.roi_heads.roi_heads import (
    Boxes,
    Features,
    RoIHeads,
    Samples,
    Sizes,
    Targets,
)

__all__ = ["Boxes", "Features", "HeadOptions", "RoIHeads", "Samples", "Sizes", "Targets"]
