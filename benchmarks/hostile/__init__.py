"""Files that a reader of scores must survive, with what should come of each."""
