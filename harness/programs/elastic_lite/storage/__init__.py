"""What exists and how it is written: catalog, indices, documents."""
