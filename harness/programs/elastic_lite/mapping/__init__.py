"""How the fields of a document are typed and read."""
