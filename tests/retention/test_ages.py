"""Ages as people write them."""

import pytest

from runs.errors import InvalidOption
from runs.maintenance.retention import parse_age


@pytest.mark.parametrize("text", ["", "7", "d", "1.5d", "7 d", "7y", "-1d", "9999999d", "٣d"])
def test_what_is_no_age_is_refused(text: str) -> None:
    with pytest.raises(InvalidOption):
        parse_age(text)
