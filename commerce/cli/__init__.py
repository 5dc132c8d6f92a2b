"""The `commerce` command. Modules named after commands are light: what they call is imported when needed."""
