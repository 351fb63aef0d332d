"""What was seen: the history, what is read back, what is sampled."""
