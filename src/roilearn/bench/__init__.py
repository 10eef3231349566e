"""Measurements against the peers: ratios within one process, never times from different runs."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
