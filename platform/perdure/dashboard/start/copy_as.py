"""The start of a run as a program would ask for it: curl, Python and TypeScript. Pure."""

import json
import pprint
import re
import shlex
from dataclasses import dataclass
from typing import Any

WIDTH = 100


@dataclass(frozen=True)
class Snippet:
    """`language` is its name for Pygments; `needs` says what has to be there for it to run."""

    key: str
    title: str
    language: str
    text: str
    needs: str


@dataclass(frozen=True)
class Wanted:
    """What `POST /api/runs/` of the server at `base_url` is asked for."""

    base_url: str
    job: str
    input: Any
    team: str | None = None
    labels: dict[str, str] | None = None

    @property
    def options(self) -> dict[str, Any]:
        return {name: value for name, value in (("team", self.team), ("labels", self.labels)) if value}


def snippets(wanted: Wanted) -> list[Snippet]:
    """The same start in each language. They read the token from the environment: none stands in a text to copy."""
    token = "an API token in PERDURE_TOKEN; make one in the settings"
    return [
        Snippet("curl", "curl", "bash", _curl(wanted), f"Needs {token}."),
        Snippet("python", "Python", "python", _python(wanted), f"Needs perdure-client and {token}."),
        Snippet("typescript", "TypeScript", "typescript", _typescript(wanted), f"Needs perdure-client and {token}."),
    ]


def _curl(wanted: Wanted) -> str:
    body = _json({"job": wanted.job, "input": wanted.input} | wanted.options)
    return (
        f"curl --fail-with-body {shlex.quote(wanted.base_url + '/api/runs/')} \\\n"
        '  --header "Authorization: Bearer $PERDURE_TOKEN" \\\n'
        "  --header 'Content-Type: application/json' \\\n"
        f"  --data-binary {shlex.quote(body)}\n"
    )


def _python(wanted: Wanted) -> str:
    options = "".join(f", {name}={value!r}" for name, value in wanted.options.items())
    value = pprint.pformat(wanted.input, width=WIDTH, sort_dicts=False)
    return (
        "import os\n\nfrom perdure_client import PerdureClient\n\n"
        f"given = {value}\n\n"
        f'with PerdureClient({wanted.base_url!r}, os.environ["PERDURE_TOKEN"]) as client:\n'
        f"    run = client.runs.start({wanted.job!r}, given{options})\n"
        "    print(run.id)\n"
    )


def _typescript(wanted: Wanted) -> str:
    options = f", {_literal(wanted.options, 0)}" if wanted.options else ""
    return (
        'import { PerdureClient } from "perdure-client";\n\n'
        f"const given = {_literal(wanted.input, 2)};\n\n"
        f"const client = new PerdureClient({_json(wanted.base_url)}, {{ token: process.env.PERDURE_TOKEN! }});\n"
        f"const run = await client.runs.start({_json(wanted.job)}, given{options});\n"
        "console.log(run.id);\n"
    )


def _json(value: Any) -> str:
    return json.dumps(value, indent=2 if isinstance(value, dict | list) else None, ensure_ascii=False)


def _literal(value: Any, indent: int) -> str:
    """JSON is TypeScript, but for one key, which would set what the object is made from."""
    text = json.dumps(value, indent=indent or None, ensure_ascii=False)
    return f"JSON.parse({json.dumps(json.dumps(value))})" if re.search(r'"__proto__"\s*:', text) else text
