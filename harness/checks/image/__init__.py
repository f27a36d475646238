"""The image itself, before anything of it runs."""
