"""`python generate.py [--check]`: write the blocking client from the asynchronous one, so that they cannot differ."""

import re
import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).parent / "perdure_client"
NOTE = '"""The blocking client. Made by `generate.py` from `aio.py`; change that one."""'
REPLACED = (
    (r'\A"""[^"]*"""', NOTE),
    (r"\basync (def|with|for)\b", r"\1"),
    (r"\bawait ", ""),
    (r"\bAsync(PerdureClient|Iterator|Client|BaseTransport)\b", r"\1"),
    (r"`async with\b", "`with"),
    (r"\basyncio\b", "time"),
    (r"\b__a(enter|exit)__", r"__\1__"),
    (r"\ba(iter_bytes|read|close)\(", r"\1("),
)


def main(check: bool) -> int:
    text = (FOLDER / "aio.py").read_text()
    for pattern, by in REPLACED:
        text = re.sub(pattern, by, text)
    target = FOLDER / "sync.py"
    formatter = [sys.executable, "-m", "ruff", "format", "--stdin-filename", str(target), "-"]
    text = subprocess.run(formatter, input=text, capture_output=True, text=True, check=True).stdout
    if check:
        return int(target.read_text() != text)
    target.write_text(text)
    return 0


if __name__ == "__main__":
    if main("--check" in sys.argv):
        sys.exit("perdure_client/sync.py is not what generate.py makes of aio.py. Run: python generate.py")
