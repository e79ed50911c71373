"""Published data sets as their authors lay them out: one reader a set. None of them is part of this project."""
