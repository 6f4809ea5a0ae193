"""The jobs of this app; importing them registers them."""

from examples.ai_agent.job import ai_agent
from examples.chat_agent.job import chat_agent
from examples.code_review.job import code_review
from examples.coding_agent.job import coding_agent
from examples.coding_assistant.job import coding_assistant
from examples.countdown import countdown
from examples.expense.job import expense
from examples.release_train.children import release_archive, release_changelog, release_lint, release_notes
from examples.release_train.job import release_train
from examples.repository_report.job import repository_report

__all__ = [
    "ai_agent",
    "chat_agent",
    "code_review",
    "coding_agent",
    "coding_assistant",
    "countdown",
    "expense",
    "release_archive",
    "release_changelog",
    "release_lint",
    "release_notes",
    "release_train",
    "repository_report",
]
