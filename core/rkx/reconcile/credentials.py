"""Issue credentials: core makes keys and requests, the auth plugin signs; all is saved before it is used."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from rkx.errors import PartlyDone
from rkx.model.identity import Authority, CredentialInfo, Identity, Issued, IssueRequest, Renewal, describe
from rkx.reconcile import keys
from rkx.reconcile.state import Credential
from rkx.reconcile.state_store import StateStore
from rkx.registry import Plugins
from rkx.secret import Secret


def issue(
    plugins: Plugins, store: StateStore, identities: Mapping[str, Identity], due: Sequence[Renewal], now: datetime
) -> None:
    """Make all that is due: authorities first, then what they sign, then secrets and key pairs."""
    wanted = [identities[each.identity] for each in due]
    for kinds in (("authority",), ("leaf",)):
        requested = [identity for identity in wanted if identity.kind in kinds]
        if requested:
            _certificates(plugins, store, requested, now)
    store.add_credentials({i.name: _MADE[i.kind](i, store) for i in wanted if i.kind in _MADE})


def _certificates(plugins: Plugins, store: StateStore, wanted: Sequence[Identity], now: datetime) -> None:
    made = {identity.name: keys.new_key() for identity in wanted}
    requests = [_request(identity, made[identity.name], store) for identity in wanted]
    answers = {answer.identity: answer for answer in plugins.issue(requests, now)}
    issued, pending = {}, []
    for identity in wanted:
        answer = answers.get(identity.name)
        if isinstance(answer, Issued):
            issued[identity.name] = _credential(identity, made[identity.name], answer, store)
        else:
            pending.append(identity.name)
    store.add_credentials(issued)
    if pending:
        raise PartlyDone(f"not issued yet: {', '.join(pending)}", hint="run rkx up again; what was issued is kept")


def _request(identity: Identity, key: Secret[bytes], store: StateStore) -> IssueRequest:
    signer = None
    if identity.authority in store.state.credentials:
        parts = store.state.credentials[identity.authority].parts
        signer = Authority(name=identity.authority, certificate=parts["certificate"].reveal(), key=parts["key"])
    own = key if identity.kind == "authority" else None
    return IssueRequest(identity=identity, csr=keys.request(identity, key), signer=signer, key=own)


def _credential(identity: Identity, key: Secret[bytes], answer: Issued, store: StateStore) -> Credential:
    dates = keys.dates(answer.certificate)
    parts = {"certificate": answer.certificate, "key": key.reveal(), "chain": answer.certificate + answer.chain}
    if identity.kind == "authority":
        parts["ca-bundle"] = answer.certificate
    authority = store.state.credentials.get(identity.authority)
    saved = CredentialInfo(
        name=identity.name,
        serial=dates.serial,
        not_before=dates.not_before,
        not_after=dates.not_after,
        description=describe(identity),
        authority_serial=authority.saved.serial if authority else "",
    )
    return _kept(saved, parts, store)


def _kept(saved: CredentialInfo, parts: Mapping[str, bytes], store: StateStore) -> Credential:
    secrets = {name: Secret(content) for name, content in parts.items()}
    return Credential(saved=saved, parts=secrets, digests=store.digests(parts))


def _key_pair(identity: Identity, store: StateStore) -> Credential:
    key = keys.new_key()
    public = keys.public_pem(key)
    return _kept(_undated(identity, public, store), {"key": key.reveal(), "public": public}, store)


def _secret(identity: Identity, store: StateStore) -> Credential:
    """Make a secret, or put the one there is into a changed form."""
    former = store.state.credentials.get(identity.name)
    secret = former.parts["secret"].reveal() if former else keys.new_secret()
    rendered = keys.rendered(identity.form, secret)
    return _kept(_undated(identity, rendered, store), {"secret": secret, "rendered": rendered}, store)


def _undated(identity: Identity, content: bytes, store: StateStore) -> CredentialInfo:
    serial = store.digests({"serial": content})["serial"]
    return CredentialInfo(
        name=identity.name, serial=serial, not_before=None, not_after=None, description=describe(identity)
    )


_MADE: Mapping[str, Callable[[Identity, StateStore], Credential]] = {"keypair": _key_pair, "secret": _secret}
