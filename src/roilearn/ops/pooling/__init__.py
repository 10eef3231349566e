"""Pooling operators: from each box of a feature map, an output of fixed size.

In reading order:

``quantize``               rounding of box coordinates to whole cells
``roi_pool``               RoIPool: the maximum or the mean over bins of whole cells
``max_pool``               the maximum of the cells of each bin, and its gradient
``roi_align``              RoIAlign: the mean of bilinear samples in each bin
``levels``                 the level of a feature pyramid that each box is pooled from
``multi_scale_roi_align``  RoIAlign from a feature pyramid
``multi_scale_pooler``     the same as a module, which infers the scale of each map
``ps_roi_pool``            position-sensitive RoIPool
``ps_roi_align``           position-sensitive RoIAlign
``prroi_pool``             Precise RoI Pooling: the exact integral of the bilinear surface
``roi_align_rotated``      RoIAlign of rotated boxes
``crop_and_resize``        TensorFlow's crop_and_resize
"""
