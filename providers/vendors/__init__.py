"""The vendors' wires, by pydantic-ai's direct model requests and the vendors' SDKs; imported to open a client."""
