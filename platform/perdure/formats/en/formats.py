"""One clock of 24 hours, on one line, as the pages have it. Django reads this module by its name."""

DATE_FORMAT = "j\xa0M\xa0Y"
TIME_FORMAT = "H:i"
DATETIME_FORMAT = "j\xa0M\xa0Y\xa0H:i"
