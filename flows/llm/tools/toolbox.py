"""What a model may call in one chat: this side's tools, those of the client, and who approves a call."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from flows.llm.tools import definition
from flows.llm.tools.approval import Approval, Which
from flows.llm.tools.definition import Tool
from flows.llm.tools.errors import InvalidTool
from providers.requests import ToolSpec


@dataclass(frozen=True)
class Toolbox:
    """`own` and `clients` by name; calls of `clients` are never performed here."""

    own: dict[str, Tool]
    clients: dict[str, ToolSpec]
    approval: Approval

    @classmethod
    def of(
        cls,
        tools: Sequence[Tool | Callable[..., Any]] = (),
        client_tools: Sequence[ToolSpec] = (),
        approve: Approval | Which = "listed",
    ) -> "Toolbox":
        """Raises InvalidTool for two of one name, InvalidOption."""
        own, clients = definition.by_name(tools), dict[str, ToolSpec]()
        for spec in client_tools:
            if spec.name in own or spec.name in clients:
                raise InvalidTool(spec.name, "is given twice", "Leave the client's out, or give it another name.")
            clients[spec.name] = spec
        return cls(own, clients, Approval.of(approve))

    @property
    def specs(self) -> list[ToolSpec]:
        """As a vendor is told of them."""
        return [*(tool.spec for tool in self.own.values()), *self.clients.values()]

    @property
    def names(self) -> list[str]:
        return sorted([*self.own, *self.clients])
