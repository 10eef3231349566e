"""A synthetic data set: overlapping shapes on photographs, drawn when they are asked for.

In reading order: ``scenes`` (``ShapeScenes``); ``signed_distances``, the shapes; ``photographs``,
the backgrounds and textures; ``summary``, what a data set holds; ``example_scene``, the scene that
the book follows.
"""
