"""The artifact inside the image: its manifest, its files, its model; nothing of it runs."""
