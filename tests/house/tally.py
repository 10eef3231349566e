"""Add up the JUnit reports of a test run: `python tests/house/tally.py FOLDER`.

Prints one line for each part and, last, the sum; ends with 1 if anything failed or nothing ran.
"""

import sys
from pathlib import Path
from xml.etree import ElementTree as ET

WRONG = ("failures", "errors")


def count(report: Path) -> tuple[int, int, int, float]:
    """Passed, failed, skipped and seconds of one JUnit report."""
    suites = list(ET.parse(report).iter("testsuite"))  # noqa: S314  our own file
    tests, skipped, *wrong = (
        sum(int(suite.get(key, 0)) for suite in suites) for key in ("tests", "skipped", *WRONG)
    )
    seconds = sum(float(suite.get("time", 0)) for suite in suites)
    return tests - skipped - sum(wrong), sum(wrong), skipped, seconds


def main() -> int:
    """Print the table; return the exit status."""
    reports = sorted(Path(sys.argv[1]).glob("*.xml"))
    rows = [(report.stem, *count(report)) for report in reports]
    print(f"{'':<12}{'passed':>8}{'failed':>8}{'skipped':>8}{'seconds':>9}")
    for name, passed, failed, skipped, seconds in rows:
        print(f"{name:<12}{passed:>8}{failed:>8}{skipped:>8}{seconds:>9.0f}")
    passed, failed, skipped = (sum(row[column] for row in rows) for column in (1, 2, 3))
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return int(failed > 0 or passed == 0)


if __name__ == "__main__":
    sys.exit(main())
