"""Models of images, pixel by pixel."""
