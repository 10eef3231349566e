"""Ideas of other papers, each in the shortest form that plugs into a detector of this package.

In the order in which an image meets them: ``image_pyramid`` (detect at several sizes and merge),
``rotation_pretext`` and ``cut_paste_pretext`` (pre-training without labels), ``attribute_heads``
(one more task for the heads), ``distillation`` (a small detector learns from a large one). Two more
stand with the heads: ``roi_heads.cascade`` and ``roi_heads.keypoint_head``.
"""
