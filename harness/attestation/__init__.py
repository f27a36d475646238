"""A verdict as a signed statement about an image, and the check of one before a deploy."""
