"""Training targets of both stages: what anchors and proposals should have predicted.

Files in reading order: ``matching`` (which object a box is matched with, by IoU), ``sampling``
(which boxes the losses are computed on), ``ground_truth`` (padding and crowds), ``anchor_targets``
(positive, negative or ignored), ``detection_targets`` (class and deltas of each sampled proposal),
``mask_targets``.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
