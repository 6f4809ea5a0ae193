"""`python -m tests.servers.suite [PHASE...]`: the suite, once per database, then in a browser.

The campaigns, which kill real processes and watch them recover, are phases of their own (`make e2e`).

Servers are started once for all phases. Ends with the number of tests per database; exit code 1 when one failed.
Shares of the suite run side by side on few processors. A test that fails there is run once more when nothing is
beside it: if it fails again it has failed, if it passes it is counted as unsteady and its name stands in the output.
"""

import os
import sys
import tempfile
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.servers import databases
from tests.servers.phases import PHASES
from tests.servers.share import Counts, Share

AT_ONCE = 4
"""Tests mostly wait, for a database or for a moment: four at once keep two processors busy."""


def main(names: list[str]) -> int:
    os.environ["TEST_DATABASE_URL"] = databases.postgresql_url()
    own_redis = "TEST_REDIS_URL" not in os.environ
    os.environ["TEST_REDIS_URL"] = databases.redis_url()
    # campaigns measure seconds and run alone
    at_once = 1 if any(name.startswith(("processes", "e2e")) for name in names) else AT_ONCE
    with tempfile.TemporaryDirectory(prefix="perdure-suite-") as folder:
        shares = {name: _shares(name, Path(folder), own_redis) for name in names}
        _run([share for name in sorted(names, key=lambda name: name == "browser") for share in shares[name]], at_once)
        found = {name: sum((share.counts for share in shares[name]), Counter()) for name in names}
    return _tell(found)


def _shares(name: str, folder: Path, own_redis: bool) -> list[Share]:
    phase = PHASES[name]
    return [Share(phase, number, folder, own_redis) for number in range(len(phase.shares))]


def _run(shares: list[Share], at_once: int) -> None:
    with ThreadPoolExecutor(at_once) as pool:
        for one in [pool.submit(share.run) for share in shares]:
            one.result()
    for share in shares:
        share.try_again()


def _tell(found: dict[str, Counts]) -> int:
    print("\nTests per database:")
    for name, counts in found.items():
        line = f"{counts['passed']} passed, {counts['failed']} failed, {counts['skipped']} skipped"
        unsteady = f", {counts['unsteady']} passed at the second try" if counts["unsteady"] else ""
        broken = ", and pytest itself failed" if counts["broken"] else ""
        print(f"  {PHASES[name].label:<40} {line}{unsteady}{broken}")
    return int(any(set(+counts) - {"unsteady"} != {"passed"} for counts in found.values()))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:] or ["sqlite", "postgresql", "browser"]))
