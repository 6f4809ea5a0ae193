"""The fake vendor as a process: it goes down, comes up again, and outlives nobody."""

import json
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.vendors.process import ROOT, FakeVendor

BODY = {"model": "m", "messages": [{"role": "user", "content": "hello"}]}


def test_it_comes_up_again_on_the_same_port() -> None:
    with FakeVendor() as vendor:
        url = vendor.url
        vendor.script([{"text": "before"}])
        vendor.stop()
        with pytest.raises(httpx.ConnectError):
            httpx.get(url)
        assert vendor.start().url == url
        assert vendor.stats()["calls"] == 0


def test_it_reads_its_script_from_a_file_and_ends_with_who_started_it(tmp_path: Path) -> None:
    script = tmp_path / "script.yaml"
    script.write_text("- match: hello\n  json: {from: file}\n")
    command = [sys.executable, "-m", "tests.vendors", "--script", str(script), "--tied"]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin
        assert process.stdout
        url = process.stdout.readline().removeprefix("ready: ").strip()
        answer = httpx.post(f"{url}/v1/chat/completions", json=BODY).json()
        assert json.loads(answer["choices"][0]["message"]["content"]) == {"from": "file"}
        process.stdin.close()
        assert process.wait(30) == 0


def test_asked_to_end_it_ends_quietly_with_its_connections() -> None:
    command = [sys.executable, "-m", "tests.vendors"]
    with (
        subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process,
        httpx.Client() as client,
    ):
        assert process.stdout
        assert process.stderr
        url = process.stdout.readline().removeprefix("ready: ").strip()
        assert client.get(url).text == "Ollama is running"
        process.terminate()
        assert process.wait(30) == 0
        assert process.stderr.read() == ""
        with pytest.raises(httpx.TransportError):
            client.get(url)


def test_it_does_not_start_with_a_script_that_is_wrong(tmp_path: Path) -> None:
    script = tmp_path / "script.yaml"
    script.write_text("- txt: hello\n")
    command = [sys.executable, "-m", "tests.vendors", "--script", str(script)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 2
    assert "no script" in done.stderr
