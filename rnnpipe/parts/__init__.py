"""What a config can name: ``parts/X/`` holds what ``@rnnpipe_X`` finds."""
