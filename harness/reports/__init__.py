"""What becomes of a report: the formats it is rendered to, the console, and the folder it is kept in."""
