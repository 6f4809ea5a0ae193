"""Templates and conditions of pipelines: Jinja2, in a sandbox that neither reaches out nor runs away."""
