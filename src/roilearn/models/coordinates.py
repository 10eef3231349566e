"""The places where a detector may be half a cell or a pixel off, and the two ways to settle them.

Boxes are continuous: x1, y1, x2, y2 in image pixels, the ends exclusive, a pixel's centre at + 0.5.
torchvision's models follow that nearly everywhere. Where they do not, a field says so here.
"""

from dataclasses import dataclass

from roilearn.arguments import check_choice, check_flag, check_number
from roilearn.ops import PASTE_RULES


@dataclass(frozen=True)
class Coordinates:
    """Where features, mask targets, pasted masks and anchors lie; ``replace`` one to try it alone.

    Parameters
    ----------
    half_cell : pooling takes half a cell off before it reads the map, so that a cell's value stands
        at its centre (RoIAlign's ``aligned``).
    target_half_cell : the same, where the mask target is cut out of the true mask: True reads
        pixels at their centres.
    paste : one of ``roilearn.ops.PASTE_RULES``: ``"aligned"`` pastes a mask into its box as it is,
        ``"torchvision"`` cuts the box to whole pixels first and adds one.
    anchor_offset : where in its cell an anchor's centre lies: 0.5 in the middle, 0 at its corner.
    anchor_rounded : move the edges of anchors to whole pixels.

    Raises
    ------
    ValueError, TypeError: an unknown rule to paste by, a flag that is not True or False.

    Examples
    --------
    What pasting alone does for a model that was trained torchvision's way:

    >>> from dataclasses import replace
    >>> replace(COORDINATES["torchvision"], paste="aligned")  # doctest: +NORMALIZE_WHITESPACE
    Coordinates(half_cell=False, target_half_cell=False, paste='aligned', anchor_offset=0.0,
                anchor_rounded=True)
    """

    half_cell: bool
    target_half_cell: bool
    paste: str
    anchor_offset: float
    anchor_rounded: bool

    def __post_init__(self) -> None:
        """Refuse what no operator knows before a model is built on it."""
        check_choice("paste", self.paste, PASTE_RULES)
        check_number("anchor_offset", self.anchor_offset)
        for name in ("half_cell", "target_half_cell", "anchor_rounded"):
            check_flag(name, getattr(self, name))


COORDINATES = {
    "torchvision": Coordinates(
        half_cell=False,
        target_half_cell=False,
        paste="torchvision",
        anchor_offset=0.0,
        anchor_rounded=True,
    ),
    "aligned": Coordinates(
        half_cell=True,
        target_half_cell=True,
        paste="aligned",
        anchor_offset=0.5,
        anchor_rounded=False,
    ),
}
"""torchvision 0.27's choices, for its weights; and those that round nowhere, for our own."""


def coordinates_of(coordinates: str | Coordinates) -> Coordinates:
    """Find a way to settle coordinates by its name; one's own is returned as it is.

    Parameters
    ----------
    coordinates : a key of ``COORDINATES``, or a ``Coordinates``.

    Raises
    ------
    ValueError: a name that is not among ``COORDINATES``.

    Examples
    --------
    >>> coordinates_of("aligned").half_cell
    True
    """
    if isinstance(coordinates, Coordinates):
        return coordinates
    check_choice("coordinates", coordinates, tuple(COORDINATES))
    return COORDINATES[coordinates]
