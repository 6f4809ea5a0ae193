"""A package named `platform` would shadow the standard library's, and with it uuid, redis, twisted and others."""

import platform
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def test_platform_is_the_standard_library_module():
    assert platform.system()
    assert not Path(str(platform.__file__)).is_relative_to(ROOT / "platform")


def test_no_python_file_lies_directly_in_the_platform_folder():
    assert list((ROOT / "platform").glob("*.py")) == []
