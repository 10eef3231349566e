"""Non-maximum suppression (NMS), for many boxes at once.

In reading order:

``nms``                ``nms`` and ``batched_nms``: arguments, and the node in a traced graph
``greedy``             greedy suppression, by blocks of boxes or from a list of overlapping pairs
``overlapping_pairs``  the pairs of boxes whose IoU is above the threshold
``onnx_nms``           the same in an ONNX file
"""
