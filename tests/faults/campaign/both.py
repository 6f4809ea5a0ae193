"""`python -m tests.faults.campaign.both`: a campaign on each database, both at once; `--keep` writes the report.

`--seed` gives both the programs and the order of faults of an earlier campaign; timing is never the same.
"""

import argparse
import json
import random
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.faults.campaign import report

ROOT = Path(__file__).resolve().parent.parent.parent.parent
DATABASES = ("postgresql", "sqlite")


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults.campaign.both")
    parser.add_argument("--minutes", type=float, default=30, help="of faults, on each database")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    parser.add_argument("--keep", action="store_true", help="write docs/reference/faults.md and faults.json")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="perdure-campaigns-") as folder:
        found, failed = _run(options.minutes, options.seed, Path(folder))
    if options.keep and found:
        report.keep(ROOT / "docs" / "reference", found)
    if failed:
        sys.stdout.write(f"FAILED: {', '.join(failed)}. Again: make faults SEED={options.seed}\n")
    return int(bool(failed))


def _run(minutes: float, seed: int, folder: Path) -> tuple[list[dict[str, Any]], list[str]]:
    """The reports, and the databases on which it failed."""
    started = {
        database: subprocess.Popen([
            sys.executable, "-m", "tests.faults.campaign", "--database", database, "--minutes", str(minutes),
            "--seed", str(seed), "--report", str(folder / database),
        ], cwd=ROOT)
        for database in DATABASES
    }  # fmt: skip
    failed = [database for database, process in started.items() if process.wait() != 0]
    reports = [folder / database for database in DATABASES if (folder / database).exists()]
    return [json.loads(file.read_text()) for file in reports], failed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
