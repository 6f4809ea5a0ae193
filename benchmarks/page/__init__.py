"""A run's page under load: thousands of steps, a long log and an answer that streams, measured in a real Chromium."""
