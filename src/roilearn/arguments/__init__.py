"""Argument checks: each error names the argument, what it must be, what it got and what to do.

The checks use only what NumPy arrays and PyTorch tensors share (``ndim``, ``shape``, ``dtype``,
comparisons), so that every implementation of an operator raises the same error for a mistake.

In reading order:

``scalars``      numbers, whole numbers, flags, choices
``lists``        lists with one entry for each image, level or map
``arrays``       arrays and tensors: dtype, device, number of rows
``boxes``        the boxes of one image, and deltas
``rois``         the boxes of a batch, in either form
``pooling``      feature maps, output size, spatial scale, sampling ratio
``pyramid``      feature pyramids and level assignment
``masks``        masks and their pasting
``convolution``  deformable convolution: its tensors, stride, padding, dilation
``losses``       pairs of boxes, logits and targets, reductions
``predictions``  outputs of the heads, IoU thresholds
``images``       images of a batch, and their sizes
``targets``      ground truth of one image
``evaluation``   regions and labels of an image, matches, ranked detections, curves
``options``      options by name: unknown ones, two names of one
``training``     matching thresholds and losses
``export``       what an exported file cannot hold
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
