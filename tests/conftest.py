"""What every test shares: repeatable hypothesis examples, no race against a clock, and no GPU.

Triton's kernels run in its interpreter, if nobody has said otherwise before (``make test-gpu``
does): Triton asks the environment when it is first imported.

``--hypothesis-profile=weekly`` looks further afield; ``mutants`` only wants to know whether a test
fails, so it spends no time on finding the smallest example.
"""

import os

from hypothesis import Phase, settings

os.environ.setdefault("TRITON_INTERPRET", "1")

settings.register_profile("house", deadline=None, derandomize=True, database=None)
settings.register_profile("weekly", deadline=None, max_examples=1000, print_blob=True)
settings.register_profile(
    "mutants",
    settings.get_profile("house"),
    phases=[Phase.explicit, Phase.generate],
    report_multiple_bugs=False,
)
settings.load_profile("house")
