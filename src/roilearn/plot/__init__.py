"""The book's figures, in one style: a map in greys, its overlays in the palette's colours."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
