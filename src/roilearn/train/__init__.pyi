from .evaluate import BACKENDS as BACKENDS
from .evaluate import Evaluation as Evaluation
from .evaluate import evaluate as evaluate
