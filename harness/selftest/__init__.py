"""The gate on images whose fault is known, and on benign changes: what it notices, and what it lets pass."""
