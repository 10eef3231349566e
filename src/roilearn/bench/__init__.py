"""Benchmarks: speed and memory against torchvision and onnxruntime, and ablations of detectors.

In reading order: ``workloads`` (what is measured), ``timing`` (calls in turns, ratios of their
times), ``load`` (processes that keep the cores busy), ``environment`` (versions and processor);
``topics`` (what is measured under load); ``operators`` (on the CPU), ``gpu``, ``detectors`` (whole
models); ``recorded`` (the tables that were written).

Speed is compared as a ratio of times from one process, since times of different runs differ with
what else the machine does.
"""

from roilearn._moved import attach_stub

__getattr__, __dir__, __all__ = attach_stub(__name__, __file__)
