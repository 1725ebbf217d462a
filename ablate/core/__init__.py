"""One round of K GANs: draws, layers, networks, optimisers, and the step that plays seams."""
