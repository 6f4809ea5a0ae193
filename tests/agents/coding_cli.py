"""A coding agent's command for tests: a real program that speaks the protocols `perdure` and `claude-code`.

Its instruction is a script, a line for each act: `text Hello`, `write NAME TEXT`, `want TOOL LEVEL JSON`, `ask TEXT`,
`choose A|B`, `crash`, `crash once`, `raw LINE`, `flood MIB`, `long MIB`, `ignore sigterm`, `child`, `escaped child`,
`sleep`, `sleep once`, `fail TEXT`, `env`, `say no session`, `done TEXT`. It keeps a session in
a file of its folder, and goes on behind the act at which it was stopped.
"""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

CLAUDE = "--output-format=stream-json" in sys.argv
_SLEEPER = "import time; time.sleep(600)"


def say(**line: Any) -> None:
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


def hear() -> dict[str, Any]:
    line = sys.stdin.readline()
    if not line:
        sys.exit(4)
    found: dict[str, Any] = json.loads(line)
    return found


class Session:
    """What the program remembers of a conversation: its script, and how many acts are behind it."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._file = Path(f".session-{name}.json")
        self.state: dict[str, Any] = {"script": [], "at": 0, "starts": 0, "answers": []}
        if self._file.exists():
            self.state = json.loads(self._file.read_text())

    def save(self) -> None:
        self._file.write_text(json.dumps(self.state))


class Agent:
    def __init__(self, session: Session) -> None:
        self.session = session
        self.number = 0

    def act(self) -> None:
        state = self.session.state
        while state["at"] < len(state["script"]):
            line = state["script"][state["at"]]
            word, _, rest = line.partition(" ")
            act = getattr(self, f"do_{word}", None)
            if act is not None:
                act(rest)
            state["at"] += 1
            self.session.save()
        self.do_done("nothing left to do")

    def do_text(self, rest: str) -> None:
        if CLAUDE:
            message = {
                "id": f"m{time.monotonic_ns()}",
                "role": "assistant",
                "content": [{"type": "text", "text": rest}],
            }
            say(type="assistant", message=message, parent_tool_use_id=None)
        else:
            say(type="text", text=rest)

    def do_write(self, rest: str) -> None:
        name, _, text = rest.partition(" ")
        Path(name).write_text(text)

    def do_want(self, rest: str) -> None:
        tool, level, given = rest.split(" ", 2)
        answer = self.request(tool, level, json.loads(given))
        self.do_text(f"{tool}: {json.dumps(answer, sort_keys=True)}")

    def request(self, tool: str, level: str, given: dict[str, Any]) -> dict[str, Any]:
        for one in self.session.state["answers"]:
            if one["id"] == self.mark and (not CLAUDE or "not approved" in one["text"]):
                return dict(one)
        if CLAUDE:
            request = {"subtype": "can_use_tool", "tool_name": tool, "input": given}
            say(type="control_request", request_id=self.mark, request=request)
            answer = hear()["response"]["response"]
            if answer.get("interrupt"):
                self.interrupted()
            return answer
        say(type="permission_request", id=self.mark, tool=tool, input=given, level=level)
        return self.waited()

    def waited(self) -> dict[str, Any]:
        answer = hear()
        if answer["type"] == "wait":
            self.session.save()
            say(type="usage", input_tokens=3, output_tokens=1)
            sys.exit(0)
        return answer

    def interrupted(self) -> None:
        self.session.save()
        say(type="result", subtype="error_during_execution", is_error=True, session_id=self.session.name,
            usage={"input_tokens": 3, "output_tokens": 1}, total_cost_usd=0.25)  # fmt: skip
        sys.exit(1)

    @property
    def mark(self) -> str:
        """The same whenever the program comes to this act."""
        return f"{self.session.name}-{self.session.state['at']}"

    def do_ask(self, rest: str, choices: tuple[str, ...] = ()) -> None:
        answers = [one for one in self.session.state["answers"] if one["id"] == self.mark]
        if not answers:
            if CLAUDE:
                options = [{"label": one, "description": ""} for one in choices]
                asked = {"questions": [{"question": rest, "header": "h", "options": options, "multiSelect": False}]}
                self.request("AskUserQuestion", "", asked)
            say(type="question", id=self.mark, text=rest, choices=list(choices))
            self.waited()
        self.do_text(f"answer: {answers[0]['text']}")

    def do_choose(self, rest: str) -> None:
        self.do_ask("Which one?", tuple(rest.split("|")))

    def do_crash(self, rest: str) -> None:
        if rest == "once" and self.session.state["starts"] > 1:
            return
        sys.stderr.write(f"it broke with {os.environ.get('TEST_API_KEY', 'nothing')}\n")
        sys.exit(3)

    def do_raw(self, rest: str) -> None:
        sys.stdout.write(rest + "\n")
        sys.stdout.flush()

    def do_flood(self, rest: str) -> None:
        line = json.dumps({"type": "text", "text": "x" * 1000}) + "\n"
        for _ in range(int(float(rest) * 1024)):
            sys.stdout.write(line)

    def do_long(self, rest: str) -> None:
        sys.stdout.write('{"type": "text", "text": "' + "x" * int(float(rest) * 1024 * 1024))
        sys.stdout.flush()

    def do_ignore(self, rest: str) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)

    def do_child(self, rest: str) -> None:
        Path("child.pid").write_text(str(subprocess.Popen([sys.executable, "-c", _SLEEPER]).pid))

    def do_escaped(self, rest: str) -> None:
        """A grandchild in a session of its own, whose parent has ended, and which ignores SIGTERM."""
        fork = "if os.fork(): os._exit(0)"
        ignore = "signal.signal(signal.SIGTERM, signal.SIG_IGN)"
        tell = "open('escaped.pid', 'w').write(str(os.getpid()))"
        code = "\n".join(("import os, signal", ignore, fork, "os.setsid()", fork, tell, _SLEEPER))
        subprocess.run([sys.executable, "-c", code], check=True)
        while not (Path("escaped.pid").exists() and Path("escaped.pid").read_text()):
            time.sleep(0.01)

    def do_sleep(self, rest: str) -> None:
        if rest == "once" and self.session.state["starts"] > 1:
            return
        Path("own.pid").write_text(str(os.getpid()))
        self.do_text("asleep")
        time.sleep(600)

    def do_env(self, rest: str) -> None:
        Path("environment.json").write_text(json.dumps(dict(os.environ)))

    def do_fail(self, rest: str) -> None:
        if CLAUDE:
            say(type="result", subtype="error_during_execution", is_error=True, errors=[rest], session_id="s")
        else:
            say(type="result", status="error", error=rest)
        sys.exit(0)

    def do_done(self, rest: str) -> None:
        self.session.save()
        text = rest.replace("\\n", "\n")
        if CLAUDE:
            usage = {"input_tokens": 10, "output_tokens": 5, "cache_read_input_tokens": 7}
            say(type="result", subtype="success", is_error=False, result=text, session_id=self.session.name,
                usage=usage, total_cost_usd=0.5, modelUsage={"test-model": {}})  # fmt: skip
        else:
            usage = {"input_tokens": 10, "output_tokens": 5, "model": "test-model"}
            say(type="result", status="done", content=text, usage=usage, structured={"starts": self.starts})
        self.do_text("a word after the last one")
        sys.exit(0)

    @property
    def starts(self) -> int:
        return int(self.session.state["starts"])


def main() -> None:
    session, script, answers = claude_start() if CLAUDE else start()
    state = session.state
    state["starts"] += 1
    state["answers"] += answers
    if script is not None:
        state["script"], state["at"] = script, 0
    session.save()
    Agent(session).act()


def start() -> tuple[Session, list[str] | None, list[dict[str, Any]]]:
    order = hear()
    session = Session(order["session"] or f"s{os.getpid()}")
    Path("order.json").write_text(json.dumps(order))
    if "say no session" not in order["instruction"]:
        say(type="session", id=session.name)
    waits = order["again"] and session.state["script"][session.state["at"]].startswith(("want", "ask", "choose"))
    answers = [hear()] if waits else []
    return session, None if order["again"] else order["instruction"].splitlines(), answers


def claude_start() -> tuple[Session, list[str] | None, list[dict[str, Any]]]:
    resumed = [one.partition("=")[2] for one in sys.argv if one.startswith("--resume=")]
    session = Session(resumed[0] if resumed else f"c{os.getpid()}")
    Path("order.json").write_text(json.dumps(sys.argv))
    say(type="system", subtype="init", session_id=session.name, tools=["Bash"], model="test-model")
    text = hear()["message"]["content"][0]["text"]
    Path("told.txt").write_text(text)
    if text.startswith("You "):
        return session, None, [{"id": Agent(session).mark, "text": text}]
    return session, text.splitlines(), []


if __name__ == "__main__":
    main()
