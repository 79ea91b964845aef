"""An audit of many files: what was found of each, and the report."""
