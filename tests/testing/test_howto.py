"""The code of docs/howto/test-your-jobs.md works as it stands."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

PAGE = (Path(settings.BASE_DIR) / "docs/howto/test-your-jobs.md").read_text()
CODE = "\n\n".join(re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL))
NAMES = re.findall(r"^def (test_\w+)\(", CODE, re.MULTILINE)


@pytest.mark.parametrize("name", NAMES)
def test_each_test_of_the_page_passes(name: str) -> None:
    namespace: dict[str, Any] = {"__name__": "my_team.jobs"}
    exec(compile(CODE, "test-your-jobs.md", "exec"), namespace)
    test: Callable[[], None] = namespace[name]
    test()


def test_the_page_names_all_that_there_is() -> None:
    from runs import testing

    assert [name for name in testing.__all__ if f"`{name}" not in PAGE] == []
