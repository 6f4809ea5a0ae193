"""How the admin writes times: the pages have their own way."""
