"""What instruments measure, as pictures, pages and text."""
