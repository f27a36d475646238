"""The artifact: its manifest, its verified files, and the model that answers."""
