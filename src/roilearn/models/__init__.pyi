from .coordinates import COORDINATES as COORDINATES
from .coordinates import Coordinates as Coordinates
from .coordinates import coordinates_of as coordinates_of
from .matching import BELOW as BELOW
from .matching import BETWEEN as BETWEEN
from .matching import match as match
from .sampling import sample as sample
