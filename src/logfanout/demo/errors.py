"""Why did the demo not come to a verdict?"""


class DemoRefused(Exception):
    """It cannot start as asked: something is not installed, or an argument makes no sense."""


class DemoFailed(Exception):
    """It started and could not go on; the text says what died and shows the end of its log."""
