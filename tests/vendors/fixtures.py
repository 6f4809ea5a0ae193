"""`from tests.vendors.fixtures import vendor, vendor_process  # noqa: F401` in a conftest, or as a pytest plugin."""

from collections.abc import Iterator

import pytest

from tests.vendors.process import FakeVendor


@pytest.fixture(scope="session")
def vendor_process() -> Iterator[FakeVendor]:
    """One vendor for the whole session."""
    with FakeVendor() as running:
        yield running


@pytest.fixture
def vendor(vendor_process: FakeVendor) -> FakeVendor:
    """The session's vendor, without a script and without calls."""
    vendor_process.reset()
    return vendor_process
