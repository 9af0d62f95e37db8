"""The command line of the course: `python -m course run|data|check|links`."""
