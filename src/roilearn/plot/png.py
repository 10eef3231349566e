"""A figure as a small PNG: 256 colours of its own, which a third of the bytes can hold."""

import io

from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from PIL import Image


def figure_to_png(figure: Figure, dpi: float) -> bytes:
    """Draw a figure as PNG and close it.

    Parameters
    ----------
    figure : closed afterwards.
    dpi : dots per inch.

    Returns
    -------
    The file's bytes. The same figure gives the same bytes: no version of any software is in them.

    Examples
    --------
    >>> from roilearn.plot import new_figure
    >>> figure_to_png(new_figure()[0], dpi=72)[1:4]
    b'PNG'
    """
    drawn, small = io.BytesIO(), io.BytesIO()
    figure.savefig(drawn, format="png", dpi=dpi, metadata={"Software": None})
    plt.close(figure)
    with Image.open(drawn) as image:
        coloured = image.convert("RGB").quantize(256, dither=Image.Dither.FLOYDSTEINBERG)
    coloured.save(small, "PNG", optimize=True)
    return min(drawn.getvalue(), small.getvalue(), key=len)
