"""From facts to verdicts, the score and the gate. Pure: no clock, no input or output."""
