"""The book's exercises: each check runs the reader's answer and names the mistake it recognises.

In reading order: ``exercise`` (what an exercise consists of), ``registry`` (``check`` and
``show``), ``diagnosis`` (how a verdict is found), ``running`` (calls of a reader's function),
``form`` (what can be wrong before the numbers are), ``writing`` (values and calls as text), then
the exercises, a file for each chapter.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
