"""Binary trees that are built by joining neighbours: how they are searched for and scored."""
