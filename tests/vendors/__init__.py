"""A vendor of language models for tests: a process of its own that speaks OpenAI's, Ollama's and Anthropic's wire."""
