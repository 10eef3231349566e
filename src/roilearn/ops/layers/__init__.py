"""Layers with torchvision's names: what its detectors are built of besides operators on boxes.

In reading order:

``deform_conv``              convolution that reads each cell of its window at a learned offset
``frozen_batch_norm``        batch normalisation with fixed statistics
``conv_norm_activation``     convolution, normalisation and activation as one block
``feature_pyramid_network``  a pyramid of maps of all resolutions
"""
