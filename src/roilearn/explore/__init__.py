"""Live figures: each teaches one thing, and runs with a kernel or without.

A figure is a Python class beside its module. In Jupyter it is an anywidget; in a built page the
same module runs on its stored state. Needs the extra ``roilearn[explore]``.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
