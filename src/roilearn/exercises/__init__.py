"""The book's exercises: each check runs the reader's answer and names the mistake it recognises."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
