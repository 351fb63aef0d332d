"""What a system usually logs: the templates of its lines, and the usual of each template."""
