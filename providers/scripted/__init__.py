"""The scripted provider: it answers by rules or by a scenario, the same each time. It is no model."""
