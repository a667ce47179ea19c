"""Providers as the gateway uses them: what the file says, over what is known of their names, with keys and URLs.

Which ones there are, in this order: those of the file; the known ones that have a key in the environment, or that a
route or `[defaults]` names; echo. One without a key stays, marked as not ready, so that it can be seen and explained.
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence

from attrs import define, field

from clawgw.config.addresses import base_url_complaint
from clawgw.config.known import API_VERSIONS, KNOWN, Known, canonical
from clawgw.config.mistakes import Mistake, path_of
from clawgw.config.snapshot import ReadyProvider, Secret
from clawgw.config.sources import Sources, UnreadableError
from clawgw.config.tables.providers import Provider

_UNKNOWN = Known(wire="openai", base_url="", key_variables=(), default_model="")
_NOT_IN_VARIABLES = re.compile(r"[^A-Za-z0-9]")


@define
class ProviderResolver:
    """Makes ready providers, and gathers what is wrong with them and what is worth a warning."""

    sources: Sources
    mistakes: list[Mistake] = field(factory=list, init=False)
    warnings: list[str] = field(factory=list, init=False)

    def resolve(self, listed: Mapping[str, Provider], named: Collection[str]) -> dict[str, ReadyProvider]:
        """Every provider by its one name. `named` are those that routes and defaults name, by their one name."""
        ready = {canonical(name): self._provider(name, provider) for name, provider in listed.items()}
        for name, known in KNOWN.items():
            if name not in ready and (name in named or self._needs_no_more(known)):
                ready[name] = self._provider(name, Provider())
        return ready

    def _needs_no_more(self, known: Known) -> bool:
        return not known.key_variables or any(map(self.sources.variable, known.key_variables))

    def _provider(self, name: str, provider: Provider) -> ReadyProvider:
        known = KNOWN["echo"] if provider.wire == "echo" else KNOWN.get(canonical(name), _UNKNOWN)
        keys, missing = self._keys(name, provider, known)
        wire = provider.wire or known.wire
        return ReadyProvider(
            name=canonical(name),
            wire=wire,
            base_url="" if wire == "echo" else self._base_url(name, provider, known),
            keys=keys,
            timeouts=provider.timeouts,
            api_version=provider.api_version or API_VERSIONS.get(wire),
            default_model=provider.default_model or known.default_model or None,
            headers=provider.headers,
            allow_private_network=provider.allow_private_network,
            tokens_per_second=provider.tokens_per_second,
            not_ready=f"no key: set {' or '.join(missing)}" if missing and not keys else None,
        )

    def _keys(self, name: str, provider: Provider, known: Known) -> tuple[tuple[Secret, ...], Sequence[str]]:
        """The pool without doubles, and the variables that would add to it but are not set."""
        keys, missing = dict[Secret, None](), list[str]()
        for path, reference in self._references(name, provider, known):
            try:
                secret = self.sources.secret(reference)
            except UnreadableError as error:
                self.mistakes.append(Mistake(path, str(error)))
                continue
            if secret is None:
                missing.append(reference.removeprefix("env:"))
            else:
                keys[secret] = None
        if keys:
            path = path_of("providers", name, "api_keys")
            self.warnings.extend(f"{path}: {variable} is not set; the other keys are used" for variable in missing)
        return tuple(keys), missing

    def _references(self, name: str, provider: Provider, known: Known) -> Iterator[tuple[str, str]]:
        """Where the keys are, each with the path that a message names. An empty `api_keys` says: none is needed."""
        if provider.api_keys is not None:
            for index, reference in enumerate(provider.api_keys):
                yield path_of("providers", name, "api_keys", index), reference
        elif known.key_variables:
            is_set = self.sources.variable
            variable = next(filter(is_set, known.key_variables), known.key_variables[0])
            yield variable, f"env:{variable}"

    def _base_url(self, name: str, provider: Provider, known: Known) -> str:
        own_variable = f"CLAWGW_{_NOT_IN_VARIABLES.sub('_', canonical(name)).upper()}_BASE_URL"
        path, url = path_of("providers", name, "base_url"), provider.base_url or known.base_url
        for variable in (*reversed(known.url_variables), own_variable):
            if value := self.sources.variable(variable):
                path, url = variable, value
        complaint = base_url_complaint(url, allow_private_network=provider.allow_private_network) if url else "missing"
        if complaint:
            self.mistakes.append(Mistake(path, complaint))
        return url.rstrip("/")
