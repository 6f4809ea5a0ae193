"""`python -m tests.faults.campaign --database D --minutes M --seed S --report FILE`: one campaign."""

import argparse
import logging
import random
import sys
from pathlib import Path

from tests.faults.campaign import report
from tests.faults.campaign.campaign import Campaign


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults.campaign")
    parser.add_argument("--database", choices=("postgresql", "sqlite"), required=True)
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    parser.add_argument("--report", type=Path, required=True)
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format=f"{options.database}: %(message)s")
    campaign = Campaign(options.database, options.seed)
    failed = True
    try:
        campaign.prepare()
        outcome = campaign.run(options.minutes * 60)
        report.write(options.report, outcome)
        sys.stdout.write(report.as_markdown(report.as_json(outcome)))
        failed = bool(outcome.violations)
        if failed:
            sys.stdout.write(f"Seed {options.seed}. Evidence: {outcome.evidence}\n")
    finally:
        campaign.close(keep=failed)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
