"""Simulations of the engine's core, each from a seed: `--seeds 1-500`, or `--seed 17 --trace` to see one of them.

Exit code 1 when a promise was not kept; the seed that shows it is printed, and replays exactly the same.
"""

import argparse
import os
import sys
import tempfile

ENVIRONMENT = {
    "DJANGO_SETTINGS_MODULE": "perdure.settings",
    # everything happens in one loop: there are no threads that could ask the database
    "DJANGO_ALLOW_ASYNC_UNSAFE": "1",
    # the order of sets, which Python draws when it starts
    "PYTHONHASHSEED": "0",
}


def main() -> int:
    arguments = _parse()
    if any(os.environ.get(name) != value for name, value in ENVIRONMENT.items()):
        os.execve(sys.executable, [sys.executable, "-m", __package__, *sys.argv[1:]], os.environ | ENVIRONMENT)
    with tempfile.TemporaryDirectory(prefix="perdure-simulation-") as folder:
        os.environ["PERDURE_DATA_DIR"] = folder
        os.environ.pop("DATABASE_URL", None)  # its own database is in memory, whichever a suite runs on
        import django

        django.setup()
        from tests.faults.simulation.seeds import Seeds  # it imports models

        return Seeds(arguments.trace, arguments.first).run(arguments.seeds, arguments.each_place)


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.faults.simulation", description=__doc__)
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--seeds", type=_range, help="of which numbers, as in 1-500")
    which.add_argument("--seed", type=_range, dest="seeds", help="one number")
    parser.add_argument("--trace", action="store_true", help="print what happens")
    parser.add_argument("--first", action="store_true", help="end at the first seed that breaks a promise")
    parser.add_argument(
        "--each-place", type=int, metavar="N", default=0,
        help="instead of the seed's faults: one run, whose worker dies before every N-th callback, and another time "
        "before and after every N-th call of the database",
    )  # fmt: skip
    return parser.parse_args()


def _range(text: str) -> range:
    first, _, last = text.partition("-")
    return range(int(first), int(last or first) + 1)


if __name__ == "__main__":
    sys.exit(main())
