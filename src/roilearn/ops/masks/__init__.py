"""Masks: the boxes around them, and masks of boxes pasted into an image.

In reading order:

``masks``           the box around the pixels of each mask
``paste``           small masks of boxes, pasted into an image
``paste_sampling``  bilinear sampling of such masks at the centres of pixels
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
