"""What each operator *is*: NumPy, plain loops, one rule a file. Slow, short, printed in the book.

Nothing here is vectorised on purpose. ``roilearn.ops`` gives the same answers fast.
"""

from roilearn._moved import attach_stub

__getattr__, __dir__, __all__ = attach_stub(__name__, __file__)
