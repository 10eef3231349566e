"""Coordinate conventions of a detector: where it may be off by half a cell or by a pixel.

Boxes are continuous: x1, y1, x2, y2 in image pixels, the ends exclusive, a pixel's centre at + 0.5.
torchvision's models follow this convention nearly everywhere. There is a field here for each place
where they do not.
"""

from dataclasses import dataclass

from roilearn.arguments import check_choice, check_flag, check_number
from roilearn.ops import PASTE_RULES


@dataclass(frozen=True)
class Coordinates:
    """Conventions for features, mask targets, pasted masks and anchors.

    ``dataclasses.replace`` changes one of them at a time.

    Parameters
    ----------
    aligned : RoIAlign's ``aligned``: pooling subtracts half a cell from the coordinates, so that a
        cell's value lies at its centre.
    mask_target_aligned : the same where the mask target is cropped from the true mask: a pixel's
        value lies at its centre.
    paste : one of ``roilearn.ops.PASTE_RULES``: ``"aligned"`` pastes a mask into its box as it is,
        ``"torchvision"`` cuts the box to whole pixels first and adds one.
    anchor_offset : position of an anchor's centre in its cell: 0.5 in the middle, 0 at the corner.
    anchor_rounded : round the edges of anchors to whole pixels.

    Raises
    ------
    ValueError, TypeError: an unknown rule for pasting; a flag that is not True or False.

    Examples
    --------
    torchvision's conventions, except for pasting:

    >>> from dataclasses import replace
    >>> replace(COORDINATES["torchvision"], paste="aligned")  # doctest: +NORMALIZE_WHITESPACE
    Coordinates(aligned=False, mask_target_aligned=False, paste='aligned', anchor_offset=0.0,
                anchor_rounded=True)
    """

    aligned: bool
    mask_target_aligned: bool
    paste: str
    anchor_offset: float
    anchor_rounded: bool

    def __post_init__(self) -> None:
        """Raise for an unknown value before a model is built with it."""
        check_choice("paste", self.paste, PASTE_RULES)
        check_number("anchor_offset", self.anchor_offset)
        for name in ("aligned", "mask_target_aligned", "anchor_rounded"):
            check_flag(name, getattr(self, name))


COORDINATES = {
    "torchvision": Coordinates(
        aligned=False,
        mask_target_aligned=False,
        paste="torchvision",
        anchor_offset=0.0,
        anchor_rounded=True,
    ),
    "aligned": Coordinates(
        aligned=True,
        mask_target_aligned=True,
        paste="aligned",
        anchor_offset=0.5,
        anchor_rounded=False,
    ),
}
"""torchvision 0.29's conventions, for its weights; and conventions without rounding, for ours."""


def coordinates_of(coordinates: str | Coordinates) -> Coordinates:
    """Return the conventions of a name; a ``Coordinates`` is returned as it is.

    Parameters
    ----------
    coordinates : a key of ``COORDINATES``, or a ``Coordinates``.

    Raises
    ------
    ValueError: a name that is not among ``COORDINATES``.

    Examples
    --------
    >>> coordinates_of("aligned").aligned
    True
    """
    if isinstance(coordinates, Coordinates):
        return coordinates
    check_choice("coordinates", coordinates, tuple(COORDINATES))
    return COORDINATES[coordinates]
