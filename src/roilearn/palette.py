"""The palette: one colour for one thing in every figure; safe for colour-blind readers.

The hues are those of Okabe and Ito's palette, which stays distinct under the common colour
deficiencies. Feature maps are drawn in greys, so that these overlays stand out.
"""

COLOURS = {
    "pool": "#D55E00",  # RoIPool
    "align": "#0072B2",  # RoIAlign
    "exact": "#009E73",  # the exact integral
    "box": "#000000",  # the box as given, ground truth; BOX_ON_DARK in dark mode
    "sample": "#E69F00",  # a sampling point
    "bin": "#56B4E9",  # a bin of the output grid
    "gradient": "#CC79A7",  # a gradient
    "loss": "#B2182B",  # what rounding loses: a loss or an error
}
BOX_ON_DARK = "#FFFFFF"
CLASSES = ("#F0E442", "#56B4E9", "#E69F00", "#009E73", "#CC79A7")
"""Classes of objects in pictures of images, in the order of their labels; then again."""
