"""AG-UI: frontends that speak its protocol talk to durable runs."""
