"""The chapters that follow the pattern of CONTRIBUTING.md. A chapter joins when it is rewritten."""

IN_PATTERN = ("notebooks/04_roialign",)
