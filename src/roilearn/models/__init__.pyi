from .coordinates import COORDINATES as COORDINATES
from .coordinates import Coordinates as Coordinates
from .coordinates import coordinates_of as coordinates_of
from .sampling import sample as sample
