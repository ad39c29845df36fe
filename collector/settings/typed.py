"""A block of YAML -> an instance of a pydantic model, with each fault at the line where it was written.

The model's types lead: a `SecretStr` must be a reference (`!env`, `!file`, `!credential`) and nothing else may be one;
a `Path` is relative to the file; of a `Beside` the file that is named is read; everything else is handed to pydantic
as text.
"""

import re
import types
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, SecretStr, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from collector.contract.beside import Beside
from collector.yaml_file import Faults, Keys, Many, Node, Text, nearest

_LARGEST = 16 << 20
_CREDENTIAL = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,254}")
_PASSWORD = re.compile(r"://[^/@\s:]*:[^/@\s]+@")


@dataclass(frozen=True, slots=True)
class Reader:
    """What is needed to type a block: where its file is, where faults go, and what `!env` names."""

    faults: Faults
    environment: Mapping[str, str]

    def model(self, kind: type[BaseModel], node: Keys, key: str) -> BaseModel | None:
        """Return an instance of a model; note what is wrong and return None if there is anything."""
        before = len(self.faults.found)
        content = self._value(kind, node, key)
        faulted = {key for _, key, _ in self.faults.found[before:]}
        try:
            built = kind.model_validate(content)
        except ValidationError as error:
            for detail in error.errors(include_url=False, include_context=False, include_input=False):
                self._explain(kind, node, key, detail, faulted)
            return None
        return None if faulted else built

    def secret(self, node: Text, key: str) -> SecretStr | None:
        """Return what a reference stands for; note what is wrong and return None otherwise."""
        if node.reference == "!env":
            return self._from_environment(node, key)
        if node.reference == "!file":
            return self._from_file(self.faults.path.parent / node.text, node, key)
        if node.reference == "!credential":
            return self._from_credential(node, key)
        self.faults.add(node.line, key, "is a secret and must not stand in the file", _BY_REFERENCE)
        return None

    def _from_environment(self, node: Text, key: str) -> SecretStr | None:
        value = self.environment.get(node.text, "")
        if not value:
            wrong = f"the environment variable {node.text or '(no name)'} is not set"
            self.faults.add(node.line, key, wrong, "Set it for this command or in the service's unit, or use !file")
            return None
        return SecretStr(value)

    def _from_credential(self, node: Text, key: str) -> SecretStr | None:
        """What systemd hands over to a service (LoadCredential=NAME:FILE)."""
        folder = self.environment.get("CREDENTIALS_DIRECTORY")
        if folder is None:
            wrong = f"there is no credential {node.text}: CREDENTIALS_DIRECTORY is not set"
            mend = f"Start it as a service whose unit has LoadCredential={node.text}:FILE, or use !file"
            self.faults.add(node.line, key, wrong, mend)
            return None
        if not _CREDENTIAL.fullmatch(node.text):
            wrong = f"{node.text or '(nothing)'} is no name of a credential"
            self.faults.add(node.line, key, wrong, "Write the name in the unit's LoadCredential=NAME:FILE")
            return None
        return self._from_file(Path(folder) / node.text, node, key)

    def _from_file(self, path: Path, node: Text, key: str) -> SecretStr | None:
        try:
            value = path.read_text(encoding="utf-8").removesuffix("\n").removesuffix("\r")
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is no UTF-8 text"
            wrong = f"the file {path} cannot be read: {reason}"
            self.faults.add(node.line, key, wrong, "Put the secret alone into it, readable by this account only")
            return None
        if not value:
            self.faults.add(node.line, key, f"the file {path} is empty", "Put the secret alone into it")
            return None
        return SecretStr(value)

    def _beside(self, node: Text, key: str) -> Beside | None:
        path = self.faults.path.parent / node.text
        try:
            with path.open("rb") as file:
                content = file.read(_LARGEST + 1)
            text = content.decode("utf-8-sig")
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is no UTF-8 text"
            mend = "Correct the path, which is relative to this file, and save it as UTF-8"
            self.faults.add(node.line, key, f"the file {path} cannot be read: {reason}", mend)
            return None
        if len(content) > _LARGEST:
            self.faults.add(node.line, key, f"the file {path} is larger than 16 MiB", "Name a smaller one")
            return None
        return Beside(str(path), text)

    def _value(self, kind: Any, node: Node, key: str) -> Any:
        match node:
            case Text():
                return self._text(kind, node, key)
            case Many(items=items):
                item = _inside(kind, Sequence)
                return [self._value(item, one, f"{key}[{place}]") for place, one in enumerate(items)]
            case Keys():
                return self._keys(kind, node, key)

    def _text(self, kind: Any, node: Text, key: str) -> Any:
        if SecretStr in set(_choices(kind)) and not node.empty:
            return self.secret(node, key)
        if node.reference:
            self.faults.add(node.line, key, f"{node.reference} is only for secrets", "Write the value itself")
            return None
        if _PASSWORD.search(node.text):
            self.faults.add(node.line, key, "the address holds a password", _BY_OPTION)
            return None
        if node.empty:
            return None
        if Path in set(_choices(kind)):
            return self.faults.path.parent / node.text
        if Beside in set(_choices(kind)):
            return self._beside(node, key)
        return node.text

    def _keys(self, kind: Any, node: Keys, key: str) -> dict[str, Any]:
        models = [one for one in _choices(kind) if isinstance(one, type) and issubclass(one, BaseModel)]
        content: dict[str, Any] = {}
        for name, below in node.items.items():
            if models:
                fields = [field for field in (_field(model, name) for model in models) if field is not None]
                if not fields:
                    known = [info.alias or own for model in models for own, info in model.model_fields.items()]
                    self.faults.add(node.lines[name], _below(key, name), "the key is not known", nearest(name, known))
                    continue
                inner: Any = tuple(field.annotation for field in fields)
            else:
                inner = _inside(kind, Mapping)
            content[name] = self._value(inner, below, _below(key, name))
        return content

    def _explain(self, kind: type[BaseModel], node: Keys, key: str, detail: ErrorDetails, faulted: set[str]) -> None:
        at: Node = node
        line, where = node.line, key
        field: FieldInfo | None = None
        model: Any = kind
        for part in detail["loc"]:
            if isinstance(model, type) and issubclass(model, BaseModel):
                field = _field(model, str(part)) or field
                model = next(iter(_models(field.annotation)), None) if field else None
            if isinstance(at, Keys) and str(part) in at.items:
                line, at, where = at.lines[str(part)], at.items[str(part)], _below(where, str(part))
            elif isinstance(at, Many) and isinstance(part, int) and part < len(at.items):
                at, where = at.items[part], f"{where}[{part}]"
                line = at.line
                model = next(iter(_models(field.annotation)), None) if field else None
            elif detail["type"] == "missing" and isinstance(at, Keys):
                where = _below(where, str(part))
        if any(where == one or where.startswith((f"{one}.", f"{one}[")) for one in faulted):
            return  # what is wrong there has been told already
        faulted.add(where)  # of a union each member complains; the first is enough
        wrong, mend = _words(detail, at, field, where.rsplit(".", 1)[-1])
        self.faults.add(line, where, wrong, mend)


def _below(key: str, name: str) -> str:
    return f"{key}.{name}" if key else name


_BY_REFERENCE = (
    "Write !env NAME (an environment variable), !file PATH (a file that holds it alone)"
    " or !credential NAME (of its service's unit)"
)
_BY_OPTION = "Take it out, and give it by !env or !file in the option that is meant for it"


def _words(detail: ErrorDetails, at: Node, field: FieldInfo | None, name: str) -> tuple[str, str]:
    example = field.examples[0] if field is not None and field.examples else None
    about = f" ({field.description})" if field is not None and field.description else ""
    mend = f"Write it like `{name}: {example}`{about}" if example is not None else f"Correct it{about}"
    if detail["type"] == "missing":
        return "must be given", mend if example is not None else f"Add the key{about}"
    wrong = detail["msg"].removeprefix("Value error, ").removeprefix("Assertion failed, ").rstrip(".")
    wrong = wrong.replace("Input should be", "should be")
    if isinstance(at, Text) and not at.reference:
        return f"{_without_secrets(at.text) or 'nothing'}: {wrong}", mend
    return wrong, mend


def _without_secrets(text: str) -> str:
    """Return a text as it may be shown: an address without what may be a user's password or a token."""
    if "://" not in text:
        return text
    return re.sub(r"[?#].*", "?...", re.sub(r"://[^/]*@", "://...@", text))


def _field(model: type[BaseModel], name: str) -> FieldInfo | None:
    for own, field in model.model_fields.items():
        if name == (field.alias or own) or (name == own and model.model_config.get("populate_by_name")):
            return field
    return None


def _choices(kind: Any) -> Iterator[Any]:
    """Yield a type, or the members of a union or a tuple of types, without annotations."""
    origin = get_origin(kind)
    if isinstance(kind, tuple):
        for one in kind:
            yield from _choices(one)
    elif origin is Annotated:
        yield from _choices(get_args(kind)[0])
    elif origin in (Union, types.UnionType):
        for one in get_args(kind):
            yield from _choices(one)
    else:
        yield kind


def _inside(kind: Any, shape: type) -> Any:
    """Return the type of the items of a list, or of the values of a mapping; Any if it is not told."""
    for one in _choices(kind):
        origin, arguments = get_origin(one), get_args(one)
        if isinstance(origin, type) and arguments:
            if issubclass(origin, Mapping):
                if shape is Mapping:
                    return arguments[1]
            elif shape is Sequence:
                return arguments[0]
    return Any


def _models(kind: Any) -> Iterator[type[BaseModel]]:
    for one in _choices(kind):
        if isinstance(one, type) and issubclass(one, BaseModel):
            yield one
        for inner in get_args(one):
            yield from _models(inner)
