from perdure.accounts.live.middleware import TokenAuthMiddleware

__all__ = ["TokenAuthMiddleware"]
