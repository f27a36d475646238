"""The HTTP interface: operations, bodies, errors, and what happens before a body is read."""
