"""Features to pool from, shared by the comparisons with other libraries."""

import numpy as np
import pytest


@pytest.fixture(scope="session")
def curved():
    """(2, 3, 9, 13) random features: ramps would hide errors of sampling."""
    return np.random.RandomState(0).randn(2, 3, 9, 13).astype(np.float32)
