"""Looks at a project's files, and drafts what its first run needs. It reads; it imports and runs nothing."""
