from .bag_matrix import BagMatrix as BagMatrix
from .bin_mean import BinMean as BinMean
from .interpolation_weights import InterpolationWeights as InterpolationWeights
from .pool_and_align import PoolAndAlign as PoolAndAlign
from .quantization import Quantization as Quantization
from .receptive_field import ReceptiveField as ReceptiveField
from .resize_grids import ResizeGrids as ResizeGrids
from .sliding_box import SlidingBox as SlidingBox
