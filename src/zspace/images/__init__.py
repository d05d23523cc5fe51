"""Where images come from: sources, the built-in drawn faces, the packed store and its loader."""
