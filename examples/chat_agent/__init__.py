"""What the job `chat-agent` is made of: its prompt, its tools, and who approves what it does."""
