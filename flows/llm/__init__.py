"""Model calls and tool calls as recorded steps, for flows and for your own jobs."""
