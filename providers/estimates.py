"""Tokens by the rule of thumb of four characters each, for when nobody counted them."""

import json

from providers.replies import Usage
from providers.requests import ChatRequest

CHARACTERS_PER_TOKEN = 4


def count(text: str) -> int:
    return -(-len(text) // CHARACTERS_PER_TOKEN)


def estimate(request: ChatRequest, answered: str) -> Usage:
    """What a call cost of which `answered` came back; images are not counted."""
    asked = "".join(message.text for message in request.messages) + request.continue_from
    asked += "".join(json.dumps(tool.parameters) + tool.description for tool in request.tools)
    return Usage(input_tokens=count(asked), output_tokens=count(answered), is_estimated=True)
