from .boxes import BOX_FORMATS as BOX_FORMATS
from .boxes import as_rois as as_rois
from .boxes import box_area as box_area
from .boxes import box_convert as box_convert
from .boxes import clip_boxes_to_image as clip_boxes_to_image
from .boxes import remove_small_boxes as remove_small_boxes
from .rotated_formats import ROTATED_BOX_FORMATS as ROTATED_BOX_FORMATS
