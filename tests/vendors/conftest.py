"""The vendor and the real vendors' clients, each closed with its test."""

from collections.abc import AsyncIterator

import anthropic
import openai
import pytest

from tests.vendors.fixtures import vendor, vendor_process
from tests.vendors.process import FakeVendor

__all__ = ["vendor", "vendor_process"]


@pytest.fixture
async def gpt(vendor: FakeVendor) -> AsyncIterator[openai.AsyncOpenAI]:
    async with openai.AsyncOpenAI(base_url=vendor.openai_url, api_key="sk-tests-1234", max_retries=0) as client:
        yield client


@pytest.fixture
async def claude(vendor: FakeVendor) -> AsyncIterator[anthropic.AsyncAnthropic]:
    async with anthropic.AsyncAnthropic(base_url=vendor.anthropic_url, api_key="sk-ant-5678", max_retries=0) as client:
        yield client
