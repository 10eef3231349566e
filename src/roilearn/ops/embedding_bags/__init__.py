"""Weighted sums of cells, as embedding bags: how every average-pooling operator is computed.

In reading order:

``bag``           a list of cells and weights for each output cell
``spans``         bags that are the outer product of cells along both axes
``memory``        the boxes in chunks, so that memory does not grow with their number
``outputs``       empty results, and tensors that are given for the result
``executor``      the sums of all bags: who computes what, and where it goes
``threads``       threads that take whole tasks, so that none waits for another before the end
``layout``        feature maps as tables of cells, in blocks that fit a processor's cache
``planes``        the same sums for few channels, without bags
``weighted_sum``  the sums with their derivatives, which are sums again
``relisted_sum``  the same without keeping the bags for the derivatives, where they are large
``gathered_sum``  the same sums in operators that ONNX has
"""
