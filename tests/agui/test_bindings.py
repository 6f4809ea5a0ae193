from ag_ui.core import Interrupt

from perdure.agui.bindings import KEY, bind, schema_hash

SCHEMA = {
    "type": "object",
    "properties": {"größe": {"type": "number", "minimum": 1.0, "maximum": 2.5}, "approved": {"type": "boolean"}},
    "required": ["approved"],
    "title": 'a "quoted" \U0001f600 text',
}
HASH = "sha256:1ee7bb8d6b5b5e0939d425f20a206d6dc2b97521b59d201c36882bbe9edf43a7"
"""As @tanstack/ai-client 0.33.2 computes it."""


def test_a_schema_has_the_hash_that_the_client_computes() -> None:
    assert schema_hash(SCHEMA) == HASH


def test_an_interrupt_says_which_run_it_interrupts_and_keeps_what_it_said() -> None:
    asked = Interrupt(id="i", reason="confirmation", response_schema=SCHEMA, metadata={"title": "Go on?"})
    [bound] = bind([asked], "run-1")
    assert bound.metadata == {
        "title": "Go on?",
        KEY: {
            "v": 1, "kind": "generic", "interruptId": "i", "interruptedRunId": "run-1", "generation": 0,
            "responseSchemaHash": HASH,
        },
    }  # fmt: skip
    assert asked.metadata == {"title": "Go on?"}


def test_an_interrupt_that_takes_any_answer_has_no_hash() -> None:
    [bound] = bind([Interrupt(id="i", reason="confirmation")], "run-1")
    assert "responseSchemaHash" not in (bound.metadata or {})[KEY]
