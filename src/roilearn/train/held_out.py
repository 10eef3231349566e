"""Which images of a data set are held out to validate on: at random, but with every class."""

from collections import Counter
from collections.abc import Sequence

import numpy as np

VALIDATION_IMAGES = "validation_images.txt"
"""Name of the file in a run folder that lists the images that the run holds out."""


def choose_held_out(classes: Sequence[set[int]], fraction: float, seed: int) -> list[int]:
    """Choose images to hold out so that each class is in them and in the others, where possible.

    A class of a single image stays with the images to train on. The rarest classes choose first,
    so more images than the fraction are held out if there are many classes and few images; never
    more than half.

    Parameters
    ----------
    classes : labels of the objects in each image.
    fraction : fraction of the images to hold out; at least one image is.
    seed : seed of the choice.

    Returns
    -------
    Indices of the images, in the order in which they were chosen.

    Examples
    --------
    >>> held_out = choose_held_out([{1}] * 18 + [{2}] * 2, 0.1, seed=0)
    >>> len(held_out), len({18, 19} & set(held_out))
    (2, 1)
    """
    order = np.random.default_rng(seed).permutation(len(classes)).tolist()
    left = Counter(label for each in classes for label in each)
    chosen: list[int] = []

    def spares(index: int) -> bool:
        return index not in chosen and all(left[label] > 1 for label in classes[index])

    def hold_out(index: int) -> None:
        chosen.append(index)
        left.subtract(classes[index])

    for label in sorted(left, key=lambda each: (left[each], each)):
        candidates = [index for index in order if label in classes[index] and spares(index)]
        covered = any(label in classes[index] for index in chosen)
        if candidates and not covered and len(chosen) < len(classes) // 2:
            hold_out(candidates[0])
    wanted = max(1, round(fraction * len(classes)))
    for index in sorted(order, key=lambda each: not spares(each)):  # stable: at random among equals
        if len(chosen) >= wanted:
            break
        if spares(index) or not chosen:
            hold_out(index)
    return chosen
