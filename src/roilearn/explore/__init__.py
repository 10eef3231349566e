"""Live figures: each teaches one thing, and runs with a kernel or without.

A figure is a Python class beside its module. In Jupyter it is an anywidget; in a built page the
same module runs on its stored state. Needs the extra ``roilearn[explore]``.
"""

from roilearn._moved import attach_stub

__getattr__, __dir__, __all__ = attach_stub(__name__, __file__)
