"""What the parts of the library agree on: settings, registries, tagging schemes and protocols."""
