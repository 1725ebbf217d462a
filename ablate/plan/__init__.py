"""From a study to a list of trials, and the workers that train them."""
