"""Maps: t-SNE, UMAP and others, and how far they keep neighbours."""
