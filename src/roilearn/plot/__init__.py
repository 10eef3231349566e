"""Figures of the book, in one style: a map in greys, its overlays in the palette's colours.

In reading order: ``base`` (the style; maps, boxes, points), ``fonts``,
``photograph``; by chapter
``interpolation`` and ``resizing`` (1), ``quantization`` (2), ``roi_pool`` (3),
``roi_align_samples`` and ``roi_align_outputs`` (4), ``sampling_error`` and ``other_operators``
(5), ``embedding_bags`` and ``gpu`` (6), ``backbones`` (7), ``pyramids`` (8), ``anchors`` (9),
``proposals`` (10), ``targets`` (11), ``heads`` (12), ``training`` (13), ``average_precision`` and
``errors`` (14), ``ports`` and ``extensions`` (15); ``benchmarks``, ``roofline`` and ``ablation``
(recorded measurements).
"""

from roilearn._moved import attach_stub

__getattr__, __dir__, __all__ = attach_stub(__name__, __file__)
