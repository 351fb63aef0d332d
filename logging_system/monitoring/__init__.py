"""What happened to every record, counted twice and shown as files and metrics."""
