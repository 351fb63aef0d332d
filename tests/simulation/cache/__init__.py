"""The cache of analytics in a world where anything moves between any two of its requests."""
