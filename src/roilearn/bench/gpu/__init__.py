"""Operators on a GPU: the Triton kernels beside torchvision's CUDA kernels.

In reading order: ``timing`` (calls in turns, timed by CUDA events), ``operators``;
``roofline`` (bytes and operations of each step of RoIAlign, counted without a GPU),
``kernel_steps`` (the steps' times).
"""
