from .base import draw_box as draw_box
from .base import draw_map as draw_map
from .base import draw_points as draw_points
from .base import new_figure as new_figure
from .photograph import feature_map as feature_map
from .photograph import photograph as photograph
