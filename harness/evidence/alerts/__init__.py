"""Messages that a stack sends to people: read from their receivers, and recognised as alerts."""
