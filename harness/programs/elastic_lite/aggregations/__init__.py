"""Numbers over many documents."""
