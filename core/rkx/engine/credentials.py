"""Issue credentials: core makes keys and requests, the auth plugin signs; all is saved before it is used."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from rkx.engine import keys
from rkx.engine.ledger import Ledger
from rkx.engine.state import Credential
from rkx.errors import PartlyDone
from rkx.model.identity import Authority, Due, Identity, Issued, IssueRequest, Saved, describe
from rkx.registry import Plugins
from rkx.secret import Secret


def issue(
    plugins: Plugins, ledger: Ledger, identities: Mapping[str, Identity], due: Sequence[Due], now: datetime
) -> None:
    """Make all that is due: authorities first, then what they sign, then secrets and key pairs."""
    wanted = [identities[each.identity] for each in due]
    for kinds in (("authority",), ("leaf",)):
        requested = [identity for identity in wanted if identity.kind in kinds]
        if requested:
            _certificates(plugins, ledger, requested, now)
    ledger.add_credentials({i.name: _MADE[i.kind](i, ledger) for i in wanted if i.kind in _MADE})


def _certificates(plugins: Plugins, ledger: Ledger, wanted: Sequence[Identity], now: datetime) -> None:
    made = {identity.name: keys.new_key() for identity in wanted}
    requests = [_request(identity, made[identity.name], ledger) for identity in wanted]
    answers = {answer.identity: answer for answer in plugins.issue(requests, now)}
    issued, pending = {}, []
    for identity in wanted:
        answer = answers.get(identity.name)
        if isinstance(answer, Issued):
            issued[identity.name] = _credential(identity, made[identity.name], answer, ledger)
        else:
            pending.append(identity.name)
    ledger.add_credentials(issued)
    if pending:
        raise PartlyDone(f"not issued yet: {', '.join(pending)}", hint="run again later; what was issued is kept")


def _request(identity: Identity, key: Secret[bytes], ledger: Ledger) -> IssueRequest:
    signer = None
    if identity.authority in ledger.state.credentials:
        parts = ledger.state.credentials[identity.authority].parts
        signer = Authority(name=identity.authority, certificate=parts["certificate"].reveal(), key=parts["key"])
    own = key if identity.kind == "authority" else None
    return IssueRequest(identity=identity, csr=keys.request(identity, key), signer=signer, key=own)


def _credential(identity: Identity, key: Secret[bytes], answer: Issued, ledger: Ledger) -> Credential:
    dates = keys.dates(answer.certificate)
    parts = {"certificate": answer.certificate, "key": key.reveal(), "chain": answer.certificate + answer.chain}
    if identity.kind == "authority":
        parts["ca-bundle"] = answer.certificate
    authority = ledger.state.credentials.get(identity.authority)
    saved = Saved(
        name=identity.name,
        serial=dates.serial,
        not_before=dates.not_before,
        not_after=dates.not_after,
        description=describe(identity),
        authority_serial=authority.saved.serial if authority else "",
    )
    return _kept(saved, parts, ledger)


def _kept(saved: Saved, parts: Mapping[str, bytes], ledger: Ledger) -> Credential:
    secrets = {name: Secret(content) for name, content in parts.items()}
    return Credential(saved=saved, parts=secrets, digests=ledger.digests(parts))


def _key_pair(identity: Identity, ledger: Ledger) -> Credential:
    key = keys.new_key()
    public = keys.public_pem(key)
    return _kept(_undated(identity, public, ledger), {"key": key.reveal(), "public": public}, ledger)


def _secret(identity: Identity, ledger: Ledger) -> Credential:
    """Make a secret, or put the one there is into a changed form."""
    former = ledger.state.credentials.get(identity.name)
    secret = former.parts["secret"].reveal() if former else keys.new_secret()
    rendered = keys.rendered(identity.form, secret)
    return _kept(_undated(identity, rendered, ledger), {"secret": secret, "rendered": rendered}, ledger)


def _undated(identity: Identity, content: bytes, ledger: Ledger) -> Saved:
    serial = ledger.digests({"serial": content})["serial"]
    return Saved(name=identity.name, serial=serial, not_before=None, not_after=None, description=describe(identity))


_MADE: Mapping[str, Callable[[Identity, Ledger], Credential]] = {"keypair": _key_pair, "secret": _secret}
