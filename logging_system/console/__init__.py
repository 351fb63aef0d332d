"""The console: one page for the person on call, of what is stored, on its way and wrong."""
