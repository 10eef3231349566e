"""What every test shares: repeatable hypothesis examples, and no race against a clock.

``--hypothesis-profile=weekly`` looks further afield; ``mutants`` only wants to know whether a test
fails, so it spends no time on finding the smallest example.
"""

from hypothesis import Phase, settings

settings.register_profile("house", deadline=None, derandomize=True, database=None)
settings.register_profile("weekly", deadline=None, max_examples=1000, print_blob=True)
settings.register_profile(
    "mutants",
    settings.get_profile("house"),
    phases=[Phase.explicit, Phase.generate],
    report_multiple_bugs=False,
)
settings.load_profile("house")
