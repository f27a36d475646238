"""The kill matrix of the reference suite, as it is published."""
