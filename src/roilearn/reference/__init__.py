"""The operators in NumPy: plain loops that define what each one computes.

Nothing here is vectorised, on purpose: the loops are slow, short and printed in the book.
``roilearn.ops`` gives the same answers fast. In reading order:

``interpolation``    linear and bilinear interpolation, their gradients and their adjoint
``resize``           resizing under the four grid rules
``quantize``         rounding of coordinates to whole cells, and its error
``residual_blocks``  a convolution, and blocks with a shortcut around several of them
``receptive_field``  pixels that a cell of a convolutional network depends on
``feature_pyramid``  maps of all resolutions, each with the context of the coarser ones
``deform_conv``      a convolution whose window is read at offsets, between the cells
``pooling``          RoIPool, RoIAlign and the other RoI operators
``boxes``            boxes, masks, IoU, NMS, box coding and anchors
``detection``        matching, proposals, detection targets and average precision
"""

from roilearn._moved import attach_stub

__getattr__, __dir__, __all__ = attach_stub(__name__, __file__)
