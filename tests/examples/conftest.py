from collections.abc import Iterator

import pytest

from tests.servers.installation import Installation


@pytest.fixture(scope="module")
def example_server(on_postgresql: bool) -> Iterator[Installation]:
    """One running `manage.py up` for the tests of a module, which leave nothing running."""
    installation = Installation(postgresql=on_postgresql)
    try:
        yield installation.start()
    finally:
        left = installation.remove()
    assert not left, f"processes were left over: {left}"
