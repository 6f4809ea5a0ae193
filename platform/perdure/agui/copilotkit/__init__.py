"""CopilotKit's frontends without its Node server: its runtime's REST API, served here.

Addresses and shapes are those that `@copilotkit/core` 1.74 calls, on many addresses or on one.
"""
