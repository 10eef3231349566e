from .interpolation_weights import InterpolationWeights as InterpolationWeights
from .pool_and_align import PoolAndAlign as PoolAndAlign
