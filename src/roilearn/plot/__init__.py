"""The book's figures, in one style: a map in greys, its overlays in the palette's colours."""

from roilearn._moved import attach_stub

__getattr__, __dir__, __all__ = attach_stub(__name__, __file__)
