"""What follows from answering a question, said before and after it."""

from hitl.models import Kind, Question

_OF_ANSWER = {
    Kind.APPROVAL: "Approve, and the run goes on. Deny, and the run is told so and decides what follows.",
    Kind.INPUT: "Submit, and the run goes on with what you gave.",
    Kind.CHOICE: "Choose, and the run goes on with your choice.",
    Kind.TOOL_CALL: "Approve, and the call is made with these arguments, or as you change them. Deny, and it is not.",
    Kind.LIMIT: "Approve, and the run goes on past the limit. Deny, and it does not.",
}
_OF_BUDGET = "Approve, and the run goes on with what you add to its budget. Deny, and it fails."


def on_answer(question: Question, missing: int) -> str:
    """For who may answer; `missing` is how many people's answers it still takes."""
    said = _OF_BUDGET if question.budget_of is not None else _OF_ANSWER[Kind(question.kind)]
    if question.quorum == 1:
        return said
    others = missing - 1
    if not others:
        return f"{said} Yours is the last answer that it takes."
    return f"{said} After yours it takes {others} more answer{'' if others == 1 else 's'}."


def now(question: Question, missing: int) -> str:
    """For who has answered, or looks at a question that is closed."""
    if question.shown_status == "open":
        return f"It takes {missing} more answer{'' if missing == 1 else 's'}; until then its run waits."
    if question.run.has_ended:
        return f"Its run has ended: it is {question.run.status}."
    if question.run.status == "paused":
        return "Its run is paused and goes on when somebody resumes it."
    return "Its run has been told and goes on by itself."
