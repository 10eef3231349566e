"""A plugin for nbval: what a cell printed may come late, for no notebook fails by a clock."""

DAY = 86_400.0  # seconds; nbval's own 5 are few on a busy machine


def pytest_configure(config):
    """Let kernels start, and cells run, as long as they take."""
    config.option.nbval_cell_timeout = config.option.nbval_kernel_startup_timeout = DAY


def pytest_collection_modifyitems(items):
    """Wait for each cell's output as long as it takes."""
    for item in items:
        item.parent.output_timeout = DAY
