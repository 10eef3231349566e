"""What each operator *is*: NumPy, plain loops, one rule a file. Slow, short, printed in the book.

Nothing here is vectorised on purpose. ``roilearn.ops`` gives the same answers fast.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
