"""From a frozen trial to its results."""
