"""How a receiver is reached: what an operator writes of it."""

from pathlib import Path
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator


class Options(BaseModel):
    """A receiver. Give a token, or user and password, or neither."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    url: str = Field(
        description="Address of the scoring service; every path is asked below it",
        examples=["https://chamdiem.example.gov.vn/api"],
    )
    token: SecretStr | None = Field(default=None, description="Token, sent as `Authorization: Bearer`")
    user: str | None = Field(default=None, description="User of HTTP basic authentication", examples=["collector"])
    password: SecretStr | None = Field(default=None, description="Password of HTTP basic authentication")
    ca_file: Path | None = Field(
        default=None,
        description="PEM file of the authority that signed the server's certificate; else the host's authorities",
        examples=["/etc/collector/ca.pem"],
    )
    connect_timeout: float = Field(default=10.0, gt=0, le=600, description="Seconds to wait for a connection")
    timeout: float = Field(default=60.0, gt=0, le=3600, description="Seconds to wait for an answer")

    @property
    def in_the_clear(self) -> bool:
        """Whether others can listen on the way."""
        host = urlsplit(self.url).hostname or ""
        return self.url.startswith("http:") and host not in ("127.0.0.1", "::1", "localhost")

    @field_validator("url")
    @classmethod
    def _address_only(cls, value: str) -> str:
        from collector.transports import web  # only if there is a receiver: httpx takes long to load

        return web.base_address(value)

    @model_validator(mode="after")
    def _one_login(self) -> "Options":
        if (self.user is None) != (self.password is None):
            raise ValueError("user and password belong together")
        if self.user is not None and self.token is not None:
            raise ValueError("give either token, or user and password: both would be sent as Authorization")
        return self
