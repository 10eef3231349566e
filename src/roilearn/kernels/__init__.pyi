from .multi_scale_roi_align import multi_scale_roi_align as multi_scale_roi_align
from .nms import batched_nms as batched_nms
from .nms import nms as nms
from .ps_roi_align import ps_roi_align as ps_roi_align
from .roi_align import roi_align as roi_align
from .roi_pool import roi_pool as roi_pool
