"""The names of ``torchvision.models.detection.anchor_utils``."""

from collections.abc import Sequence

from roilearn.models.rpn import anchors
from roilearn.ops import ASPECT_RATIOS

__all__ = ["AnchorGenerator"]


class AnchorGenerator(anchors.AnchorGenerator):
    """``roilearn.models.AnchorGenerator`` with torchvision's anchors, wherever it is used.

    They stand around the first corner of their cell, with edges of whole pixels, alone as well as
    in a detector, passed to it or assigned to it later, whatever the detector's ``coordinates``.

    Parameters
    ----------
    sizes, aspect_ratios : as in ``roilearn.models.AnchorGenerator``.
    offset, rounded : likewise, with torchvision's values. None: those of the detector.

    Examples
    --------
    >>> import torch
    >>> generator = AnchorGenerator(((16, 32),), ((1.0,),))
    >>> generator((8, 8), [torch.zeros(1, 3, 1, 1)])
    [tensor([[ -8.,  -8.,   8.,   8.],
            [-16., -16.,  16.,  16.]])]
    """

    def __init__(
        self,
        sizes: Sequence[float | Sequence[float]] = ((128, 256, 512),),
        aspect_ratios: Sequence[float | Sequence[float]] = ASPECT_RATIOS,
        offset: float | None = 0.0,
        rounded: bool | None = True,
    ) -> None:
        super().__init__(sizes, aspect_ratios, offset, rounded)
