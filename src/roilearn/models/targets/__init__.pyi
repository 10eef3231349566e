from .detection_targets import DELTA_WEIGHTS as DELTA_WEIGHTS
from .detection_targets import DetectionTargets as DetectionTargets
from .detection_targets import detection_targets as detection_targets
from .ground_truth import CROWD_IOA as CROWD_IOA
from .mask_targets import all_mask_targets as all_mask_targets
from .mask_targets import mask_targets as mask_targets
from .matching import match as match
from .sampling import sample as sample
