"""One lesson a file. They do not know each other."""
