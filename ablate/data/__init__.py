"""Images and toys, resident as tensors."""
