"""Boxes: what they are, how far they overlap, how they are coded, and the anchors they start from.

In reading order:

``boxes``       formats, area, clipping to an image, removal of small boxes
``rotated_formats``  formats of rotated boxes
``rois``        the boxes of a batch of images as one (K, 5) tensor
``iou``         intersection over union, and its generalised form
``distance_iou``  IoU with the distance of the centres, and with the shapes
``box_coding``  boxes as deltas to anchors, and back
``anchors``     anchors of one map and of a feature pyramid
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
