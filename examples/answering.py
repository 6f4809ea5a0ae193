"""Who answered a job's questions to a model, in words for its result."""

from flows.llm.results import ChatResult


def answered_by(answer: ChatResult) -> str:
    """`scripted provider`, which is no model, or the model's name and its wire."""
    return "scripted provider" if answer.provider == "scripted" else f"{answer.model} ({answer.provider})"
