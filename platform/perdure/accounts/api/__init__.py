from perdure.accounts.api.authentication import TokenAuthentication

__all__ = ["TokenAuthentication"]
