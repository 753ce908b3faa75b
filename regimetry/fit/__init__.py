"""A fit: from a source of rows to a checked model file, stage by stage."""
