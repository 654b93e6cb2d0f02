"""Talon.One's client for an address: that of Talon.One, or that of a sandbox."""

from talon_one import ApiClient, Configuration, IntegrationApi

__all__ = ["api_at"]


def api_at(url: str, key: str) -> IntegrationApi:
    """Return the client for the server at *url*, with an API key."""
    configuration = Configuration(host=url, api_key={"api_key_v1": key}, api_key_prefix={"api_key_v1": "ApiKey-v1"})
    return IntegrationApi(ApiClient(configuration))
