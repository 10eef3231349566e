from .exercise import Exercise as Exercise
from .exercise import Mistake as Mistake
from .exercise import Verdict as Verdict
from .exercise import diagnose as diagnose
from .register import check as check
from .register import exercises as exercises
