"""Settings of the RoI heads, and properties under which they can be set as in torchvision."""

from dataclasses import dataclass, replace
from typing import Any

from roilearn.models.targets.detection_targets import DELTA_WEIGHTS


@dataclass(frozen=True)
class HeadOptions:
    """Settings of the RoI heads; the defaults are those of torchvision 0.29."""

    positive_iou: float = 0.5
    """Minimum IoU with an object for a proposal to count as positive."""
    negative_iou: float | None = None
    """A proposal whose highest IoU is below this counts as background, one between the two is not
    sampled; None: ``positive_iou``."""
    batch_size_per_image: int = 512
    """Maximum number of proposals sampled per image for the losses."""
    positive_fraction: float = 0.25
    """Maximum fraction of positives among them."""
    delta_weights: tuple[float, float, float, float] = DELTA_WEIGHTS
    """Factors of dx, dy, dw and dh, see ``encode_boxes``."""
    score_threshold: float = 0.05
    """Drop detections with a score at or below this."""
    nms_threshold: float = 0.5
    """IoU above which NMS, within a class, removes the detection of lower score."""
    detections_per_image: int = 100
    """Maximum number of detections per image."""
    mask_target_aligned: bool = False
    """Whether mask targets take a pixel's value to lie at its centre, see ``mask_targets``."""


def option_property(name: str) -> property:
    """Give a module with ``options`` a property that reads and replaces one field of them."""

    def read(module: Any) -> Any:
        return getattr(module.options, name)

    def write(module: Any, value: Any) -> None:
        module.options = replace(module.options, **{name: value})

    return property(read, write, doc=f"``options.{name}``, which can be set at any time.")
