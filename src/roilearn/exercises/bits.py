"""Rows of bits for suppression, settled the right way and the ways that are often taken."""

import numpy as np


def survivors(words: np.ndarray) -> np.ndarray:
    """Whether each box stays: (N,) of bool. Bit j of ``words[i]``: box i overlaps j too much."""
    gone, stays = 0, []
    for number, word in enumerate(words):
        stays.append(not gone >> number & 1)
        if stays[-1]:
            gone |= int(word)
    return np.array(stays)


def without_asking(words: np.ndarray) -> np.ndarray:
    """Let boxes that are gone suppress others too."""
    gone = np.bitwise_or.reduce(words)
    return (gone >> np.arange(len(words)) & 1) == 0


def from_the_left(words: np.ndarray) -> np.ndarray:
    """Count the bits from the highest, not from the lowest."""
    turned = [int(f"{int(word):0{len(words)}b}"[::-1], 2) for word in words]
    return survivors(np.array(turned))


def of_the_first_alone(words: np.ndarray) -> np.ndarray:
    """Let the best box suppress, and no other."""
    return (int(words[0]) >> np.arange(len(words)) & 1) == 0


def who_goes(words: np.ndarray) -> np.ndarray:
    """Say who goes, not who stays."""
    return ~survivors(words)
