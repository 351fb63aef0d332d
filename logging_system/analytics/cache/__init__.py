"""A cache of the store's answers that is exact: what it calls fresh is what the store would have said."""
