"""What the job `ai-agent` is made of: passages of pages, the tools to find more of them, and a streamed answer."""
