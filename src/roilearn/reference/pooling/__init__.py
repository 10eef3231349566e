"""RoI operators: a box on a feature map becomes an output of fixed size.

In reading order:

``roi_pool``               RoIPool: quantized boxes, maximum or mean of whole cells
``roi_align``              RoIAlign: bilinear samples, averaged in each bin
``levels``                 assignment of boxes to the levels of a feature pyramid
``multi_scale_roi_align``  RoIAlign on a feature pyramid
``ps_roi_pool``            position-sensitive RoIPool
``ps_roi_align``           position-sensitive RoIAlign
``prroi_pool``             Precise RoI pooling: the exact integral in place of samples
``roi_align_rotated``      RoIAlign of rotated boxes
``crop_and_resize``        TensorFlow's crop: samples at points, without bins
"""
