"""Two models layer by layer: what a port of a detector, or of its weights, has got wrong.

In reading order: ``recording`` (inputs and outputs of every layer), ``differences`` (how far two
of them are apart), ``compare_layers`` (both models on the same images), ``broken_ports`` (detectors
with one mistake each, to practise on).
"""
