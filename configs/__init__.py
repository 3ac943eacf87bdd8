"""The example configs, so that an installation has them too."""
