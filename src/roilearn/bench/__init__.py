"""Measurements against the peers: ratios within one process, never times from different runs."""

from roilearn._moved import attach_stub

__getattr__, __dir__, __all__ = attach_stub(__name__, __file__)
