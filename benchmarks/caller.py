"""A program beside Perdure's worker, as a team's web process would be: it starts runs over the Python API."""

import os

import django

from benchmarks.answering import answer_all


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "perdure.settings")
    django.setup()
    from benchmarks.calls import FUNCTIONS  # models can be imported only after the set-up

    answer_all(FUNCTIONS)


if __name__ == "__main__":
    main()
