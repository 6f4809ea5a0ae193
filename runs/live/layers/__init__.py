"""Channel layers for installations without Redis: one write per send, membership in process memory."""
