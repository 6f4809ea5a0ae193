"""`python -m tests.faults.mutants [--only WORDS]`: take one thing out of the engine at a time; named tests must notice.

Exits with 1 when a mutant survives, when a test fails without one, or when a mutant no longer fits the code.
"""

import argparse
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tests.faults.mutants.catalogue import MUTANTS, POSTGRESQL, SQLITE, Mutant
from tests.faults.mutants.copies import Copy, Outcome, function_of, misfits
from tests.servers import databases


@dataclass(frozen=True)
class Verdict:
    mutant: Mutant
    outcome: Outcome

    @property
    def survived_by(self) -> list[str]:
        """The tests that did not notice."""
        return [test for test in self.mutant.tests if function_of(test) not in self.outcome.failed]


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults.mutants", description=__doc__)
    parser.add_argument("--only", default="", help="mutants whose name holds these words")
    only = parser.parse_args(arguments).only
    mutants = [mutant for mutant in MUTANTS if only in mutant.name]
    if problems := misfits(mutants):
        sys.stderr.write("\n".join([*problems, ""]))
        return 1
    with ThreadPoolExecutor(2) as pool, tempfile.TemporaryDirectory(prefix="perdure-mutants-") as folder:
        tried = [pool.submit(_try, Path(folder), database, mutants) for database in (POSTGRESQL, SQLITE)]
        verdicts = [verdict for future in tried for verdict in future.result()]
    _print_table(verdicts)
    wanted = len(mutants)
    return int(len(verdicts) < wanted or any(verdict.survived_by for verdict in verdicts))


def _try(folder: Path, database: str, mutants: list[Mutant]) -> list[Verdict]:
    mine = [mutant for mutant in mutants if mutant.database == database]
    if not mine:
        return []
    copy = Copy(folder / database, database, _environment(database))
    tests = sorted({test for mutant in mine for test in mutant.tests})
    sound = copy.try_tests(tests)
    if sick := [test for test in tests if function_of(test) not in sound.passed]:
        _say(f"On {database} these fail without any mutant, so they show nothing: {', '.join(sick)}\n{sound.said}")
        return []
    return [_report(Verdict(mutant, copy.try_mutant(mutant))) for mutant in mine]


def _environment(database: str) -> dict[str, str]:
    if database == SQLITE:
        return {}
    return {"TEST_DATABASE_URL": databases.postgresql_url(), "TEST_REDIS_URL": databases.redis_url()}


def _report(verdict: Verdict) -> Verdict:
    mutant = verdict.mutant
    _say(f"{'SURVIVED' if verdict.survived_by else 'killed':<9} {mutant.database:<11} {mutant.name}")
    if verdict.survived_by:
        _say(f"Not noticed by: {', '.join(verdict.survived_by)}\n{verdict.outcome.said}")
    return verdict


def _print_table(verdicts: list[Verdict]) -> None:
    _say("\n| taken out | database | noticed by | killed |\n|---|---|---|---|")
    for verdict in verdicts:
        for test in verdict.mutant.tests:
            killed = "no" if test in verdict.survived_by else "yes"
            _say(f"| {verdict.mutant.name} | {verdict.mutant.database} | `{test}` | {killed} |")


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
