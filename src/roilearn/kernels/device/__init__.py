"""Device code: the Triton functions that run on the GPU.

In reading order: ``sampling`` (where RoIAlign's samples lie), ``roi_align_forward``,
``feature_gradient_atomic``, ``cell_to_box_index``, ``feature_gradient_gathered``, ``box_gradient``;
then ``roi_pool_bins`` and ``max_pool`` for RoIPool, and ``suppression`` for NMS.

Names that all kernels share. ``images``, ``channels``, ``rows``, ``columns`` and ``boxes`` are
numbers of each, unless they are pointers. ``rois`` points to (K, 5): batch index, x1, y1, x2, y2 in
image pixels. ``levels`` points to the level of each box. ``BLOCK_...`` says how much of the output
one program takes, always a power of two.
"""
