from . import bench as bench
from . import data as data
from . import exercises as exercises
from . import explore as explore
from . import kernels as kernels
from . import models as models
from . import notebook as notebook
from . import odd_boxes as odd_boxes
from . import ops as ops
from . import palette as palette
from . import plot as plot
from . import reference as reference
from . import train as train
from .patching import patch as patch

__version__: str
