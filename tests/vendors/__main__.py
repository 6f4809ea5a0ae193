"""`python -m tests.vendors [--port N] [--script FILE] [--tied]`: the vendor, until it is stopped.

Prints `ready: http://127.0.0.1:PORT`. FILE is a script in YAML or JSON. `--tied` ends it with its standard input, so
that it never outlives who started it.
"""

import argparse
import asyncio
import contextlib
import os
import signal
import sys
from pathlib import Path

import yaml

from tests.vendors.script import Script
from tests.vendors.server import Vendor


def main() -> None:
    options = argparse.ArgumentParser(prog="python -m tests.vendors", description=__doc__)
    options.add_argument("--port", type=int, default=0)
    options.add_argument("--script", type=Path)
    options.add_argument("--tied", action="store_true")
    given = options.parse_args()
    try:
        script = Script.read(yaml.safe_load(given.script.read_text()) if given.script else [])
    except (OSError, ValueError, yaml.YAMLError) as error:
        options.error(f"no script: {error}")
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(run(given.port, script, tied=given.tied))


async def run(port: int, script: Script, *, tied: bool) -> None:
    loop, done = asyncio.get_running_loop(), asyncio.Event()
    server = await Vendor(script).listen(port)
    sys.stdout.write(f"ready: http://127.0.0.1:{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    loop.add_signal_handler(signal.SIGTERM, done.set)
    if tied:
        loop.add_reader(0, lambda: None if os.read(0, 1) else done.set())
    await done.wait()
    # whoever is being answered sees the connection end, as at a vendor that went down
    server.close()


if __name__ == "__main__":
    main()
