"""The key goes to the vendor, and nowhere else."""

import logging
import os
import traceback

import pytest

from providers.client import open_client
from providers.endpoint import Endpoint
from providers.errors import ProviderError
from tests.providers.conftest import KEY, WIRES, ask, endpoint, reply_of
from tests.providers.servers import answering
from tests.vendors.process import FakeVendor


@pytest.mark.parametrize("wire", [*WIRES, "scripted"])
def test_no_text_of_an_endpoint_or_client_holds_the_key(wire: str) -> None:
    given = Endpoint.model_validate({"kind": wire, "api_key": KEY})
    client = open_client(given)
    for shown in (repr(given), str(given), given.model_dump_json(), repr(client), str(client), repr(vars(client))):
        assert KEY not in shown
    assert given.key() == KEY


@pytest.mark.parametrize("wire", WIRES)
@pytest.mark.parametrize("status", [400, 401, 500])
async def test_no_error_holds_the_key_even_where_the_vendor_says_it(
    vendor: FakeVendor, wire: str, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    vendor.script([{"status": status, "message": f"What is {KEY}, or {KEY[:9]}***{KEY[-4:]}?"}])
    client = open_client(endpoint(vendor, wire))
    with caplog.at_level(logging.DEBUG):
        with pytest.raises(ProviderError) as caught:
            await reply_of(client, ask())
        await client.aclose()
    error = caught.value
    assert (error.__cause__, error.__context__) == (None, None)
    told = "".join(traceback.format_exception(error)) + repr(error) + repr(vars(error)) + caplog.text
    assert KEY not in told
    assert KEY[:9] not in told
    assert vendor.calls()[0]["key_tail"] == KEY[-4:]


@pytest.mark.parametrize("wire", WIRES)
async def test_what_the_environment_holds_for_one_vendor_is_sent_to_no_other_address(
    vendor: FakeVendor, wire: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "OLLAMA_API_KEY", "OPENAI_ORG_ID"):
        monkeypatch.setenv(name, "environment-secret")
    for name in ("OPENAI_CUSTOM_HEADERS", "ANTHROPIC_CUSTOM_HEADERS"):
        monkeypatch.setenv(name, "X-Secret: environment-secret")
    for key in (None, KEY):
        client = open_client(endpoint(vendor, wire, api_key=key))
        try:
            await reply_of(client, ask())
            headers = client._sdk.default_headers  # type: ignore[attr-defined]
        finally:
            await client.aclose()
        assert "environment-secret" not in str({**headers})
        assert vendor.calls()[-1]["key_tail"] == (KEY if key else "none")[-4:]
    assert os.environ["OPENAI_API_KEY"] == "environment-secret"


async def test_a_redirect_is_not_followed_with_the_key(vendor: FakeVendor) -> None:
    location = f"Location: {vendor.openai_url}/chat/completions"
    async with answering(f"HTTP/1.1 307 Temporary Redirect\r\n{location}\r\nContent-Length: 0\r\n\r\n".encode()) as url:
        client = open_client(Endpoint.model_validate({"kind": "openai", "base_url": url, "api_key": KEY}))
        try:
            with pytest.raises(ProviderError, match="307"):
                await reply_of(client, ask(model="m-1"))
        finally:
            await client.aclose()
    assert vendor.calls() == []
