"""The command line: one file a command; none of them decides anything."""
