"""All custom operators of the package: importing this module registers them with PyTorch.

A graph that was saved by ``torch.export.save`` or ``torch.jit.save`` holds their names alone. The
program that loads it need not call any operator of ours before, and modules are imported only when
they are first used. So it says::

    import roilearn.ops.custom_ops  # registers roilearn::nms, roilearn::roi_align_of_values, ...

    program = torch.export.load("model.pt2")

Without the line PyTorch raises, because it knows no operator of such a name.
"""

from roilearn.ops.pooling import (
    multi_scale_roi_align,
    prroi_pool,
    ps_roi_align,
    ps_roi_pool,
    roi_align,
    roi_align_rotated,
    roi_pool,
)
from roilearn.ops.suppression import nms

MODULES = (
    roi_pool,
    roi_align,
    multi_scale_roi_align,
    ps_roi_pool,
    ps_roi_align,
    prroi_pool,
    roi_align_rotated,
    nms,
)
"""Modules that register operators when they are imported."""
