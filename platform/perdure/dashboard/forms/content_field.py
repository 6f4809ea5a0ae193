"""A field for what stands in a file: uploaded, or typed. In JSON it is a text, or base64 of the bytes."""

import base64
import binascii
from typing import Any, Literal

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.utils.html import format_html
from django.utils.safestring import SafeString

from perdure.dashboard.forms.schema_reading import Schema
from runs.conf import get_settings

Encoding = Literal["text", "base64", "base64url"]
_ENCODINGS: dict[str, Encoding] = {"base64": "base64", "byte": "base64", "base64url": "base64url"}


def encoding_of(part: Schema) -> Encoding | None:
    """How a schema's text holds a file; None for one that holds none."""
    named = _ENCODINGS.get(part.get("contentEncoding") or part.get("format") or "")
    if named is not None:
        return named
    return "text" if part.get("format") == "binary" or "contentMediaType" in part else None


class ContentInput(forms.Textarea):
    """A text, and below it a file that takes its place."""

    needs_multipart_form = True

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        attrs = attrs or {}
        given = {"id": f"{attrs['id']}_file"} if attrs.get("id") else {}
        choose = forms.FileInput({"accept": self.attrs.get("data-accept") or False, "aria-label": "Or choose a file"})
        chosen = choose.render(f"{name}.~file", None, given, renderer)
        return format_html("{}{}", super().render(name, value, attrs, renderer), chosen)

    def value_from_datadict(self, data: Any, files: Any, name: str) -> Any:
        return (files or {}).get(f"{name}.~file") or super().value_from_datadict(data, files, name)


class ContentField(forms.CharField):
    """Cleaned, it is the text that stands in the JSON."""

    def __init__(self, *, encoding: Encoding, accept: str = "", **kwargs: Any) -> None:
        self.encoding = encoding
        attrs = {"rows": 4, "spellcheck": "false", "data-accept": accept, "data-content": encoding}
        super().__init__(**kwargs, strip=False, widget=ContentInput(attrs))

    def clean(self, value: Any) -> Any:
        return super().clean(self._text_of(value) if isinstance(value, UploadedFile) else value)

    def to_python(self, value: Any) -> str:
        text = str(super().to_python(value) or "").replace("\r\n", "\n")
        if self.encoding == "text":
            return text
        text = "".join(text.split())
        try:
            base64.b64decode(text, altchars=b"-_" if self.encoding == "base64url" else None, validate=True)
        except (binascii.Error, ValueError) as exc:
            raise forms.ValidationError("This is not base64. Choose the file instead, and it is encoded.") from exc
        return text

    def bound_data(self, data: Any, initial: Any) -> Any:
        """A page that is shown again has the file's content as text: no page can choose a file again by itself."""
        if not isinstance(data, UploadedFile):
            return super().bound_data(data, initial)
        try:
            return self._text_of(data)
        except forms.ValidationError:
            return initial

    def _text_of(self, file: "UploadedFile[bytes]") -> str:
        limit = get_settings().max_payload_bytes
        if (file.size or 0) > limit:
            raise forms.ValidationError(f"The file is larger than {limit} bytes. Choose a smaller one.")
        file.seek(0)
        content = bytes(file.read())
        if self.encoding != "text":
            encode = base64.urlsafe_b64encode if self.encoding == "base64url" else base64.b64encode
            return encode(content).decode()
        try:
            return content.decode("utf-8-sig")
        except UnicodeDecodeError as exc:
            raise forms.ValidationError("The file is no text in UTF-8. Choose a text file.") from exc
