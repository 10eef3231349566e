"""The type checker behind ROILEARN_CHECK_SHAPES (see `ops/conftest.py`)."""

from beartype import BeartypeConf, beartype

check = beartype(conf=BeartypeConf(is_pep484_tower=True))  # an int will do for a float
