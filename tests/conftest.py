"""What every test shares: repeatable hypothesis examples, no race against a clock, no GPU, signals.

Triton's kernels run in its interpreter, if nobody has said otherwise before (``make test-gpu``
does): Triton asks the environment when it is first imported.

``--hypothesis-profile=weekly`` looks further afield; ``mutants`` only wants to know whether a test
fails, so it spends no time on finding the smallest example.
"""

import os
import signal

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

for name in ("SIGINT", "SIGTERM", "SIGHUP"):
    number = getattr(signal, name, None)  # Windows has no SIGHUP
    if number and signal.getsignal(number) is signal.SIG_IGN:  # under nohup, or behind a shell's &
        default = signal.default_int_handler if name == "SIGINT" else signal.SIG_DFL
        signal.signal(number, default)
