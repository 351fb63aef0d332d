"""What a fault can take hold of; each target implements its capabilities once."""
