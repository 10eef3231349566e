"""Boxes and masks: formats, overlap, suppression, coding and anchors.

In reading order:

``boxes``       formats, area, clipping to an image, and the (K, 5) form with batch indices
``rotated_formats``  formats of rotated boxes
``iou``         intersection over union of boxes and of masks
``distance_iou``  IoU with the distance of the centres, and with the shapes
``nms``         non-maximum suppression
``box_coding``  deltas from anchors to boxes, and back
``anchors``     anchors of a feature map and of a feature pyramid
``masks``       boxes around masks, and masks pasted into an image
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
