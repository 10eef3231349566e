from .evaluate import BACKENDS as BACKENDS
from .evaluate import Evaluation as Evaluation
from .evaluate import evaluate as evaluate
from .loop import train as train
from .processes import joined_processes as joined_processes
from .record import read_record as read_record
from .schedule import learning_rate as learning_rate
from .settings import Settings as Settings
