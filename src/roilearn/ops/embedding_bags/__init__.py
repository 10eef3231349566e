"""Weighted sums of cells, as embedding bags: how every average-pooling operator is computed.

In reading order:

``bag``     a list of cells and weights for each output cell; their sums and derivatives
``spans``   bags that are the outer product of cells along both axes
``memory``  the boxes in chunks, so that memory does not grow with their number
``layout``  feature maps as tables of cells, in blocks that fit a processor's cache
"""
