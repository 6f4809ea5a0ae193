"""What the job `expense` is made of: the claim, three kinds of questions, and what was decided."""
