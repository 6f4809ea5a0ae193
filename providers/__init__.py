"""Language-model vendors behind one protocol. Plain Python: no Django, nothing of the other apps.

`client.open_client(Endpoint(...))` gives a `ModelClient`; what goes in is in `messages` and `requests`, what comes out
in `replies`, what can go wrong in `errors`. No vendor's SDK is imported before a client of that vendor is opened, and
none of its types leaves this package.
"""
