"""Checks the passkey assertions and DSSE envelopes of an evidence folder with packages that nobody here wrote.

usage: verify.py EVIDENCEDIR TRUSTDIR WORKDIR

Writes each envelope's PAE and signature to WORKDIR, for openssl.
"""

import base64
import hashlib
import json
import sys
from pathlib import Path

from cryptography.hazmat.primitives.serialization import load_pem_public_key
from fido2 import cbor
from fido2.cose import CoseKey
from google.protobuf.json_format import ParseDict
from in_toto_attestation.v1 import statement_pb2
from in_toto_attestation.v1.statement import Statement
from securesystemslib.dsse import Envelope
from securesystemslib.exceptions import VerificationError
from securesystemslib.signer import SSlibKey
from webauthn import verify_authentication_response
from webauthn.helpers.exceptions import InvalidAuthenticationResponse

CONTEXT = b"chancery decision v1\n"


def unpadded(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def refused(check, kinds):
    """A check that cannot fail shows nothing: says whether it refuses what it must refuse."""
    try:
        check()
    except kinds:
        return True
    return False


def specs(evidence):
    for path in sorted(evidence.glob("leaves/*.json"), key=lambda p: int(p.stem)):
        leaf = json.loads(path.read_bytes())
        if leaf["apiVersion"] == "chancery/v1":
            yield leaf["spec"]


def passkeys(evidence):
    found = {}
    for spec in specs(evidence):
        if spec["kind"] in ("person.created", "passkey.enrolled"):
            passkey = spec["body"]["passkey"]
            found[passkey["credential_id"]] = unpadded(passkey["public_key"])
    return found


def check_assertions(evidence, trust):
    keys = passkeys(evidence)
    count = 0
    for spec in specs(evidence):
        if spec["kind"] != "decision.recorded":
            continue
        document, assertion = spec["body"]["document"], spec["body"]["assertion"]
        challenge = hashlib.sha256(CONTEXT + document.encode()).digest()
        check_with_py_webauthn(assertion, challenge, keys[assertion["credential_id"]], trust)
        check_with_fido2(assertion, keys[assertion["credential_id"]])
        count += 1
    assert count > 0, "the evidence has no decision"
    print(f"py_webauthn, fido2  {count} assertions verify over the decision documents' digests")


def check_with_py_webauthn(assertion, challenge, public_key, trust):
    credential = {
        "id": assertion["credential_id"],
        "rawId": assertion["credential_id"],
        "type": "public-key",
        "clientExtensionResults": {},
        "response": {
            "authenticatorData": assertion["authenticator_data"],
            "clientDataJSON": assertion["client_data_json"],
            "signature": assertion["signature"],
        },
    }

    def check(expected):
        return verify_authentication_response(
            credential=credential,
            expected_challenge=expected,
            expected_rp_id=trust["rp_id"],
            expected_origin=trust["origins"],
            credential_public_key=public_key,
            credential_current_sign_count=0,
            require_user_verification=True,
        )

    check(challenge)
    other = hashlib.sha256(challenge).digest()
    assert refused(lambda: check(other), InvalidAuthenticationResponse), "another challenge was accepted"


def check_with_fido2(assertion, public_key):
    signed = unpadded(assertion["authenticator_data"]) + hashlib.sha256(
        unpadded(assertion["client_data_json"])
    ).digest()
    key = CoseKey.parse(cbor.decode(public_key))
    key.verify(signed, unpadded(assertion["signature"]))
    assert refused(lambda: key.verify(signed + b"x", unpadded(assertion["signature"])), Exception)


def check_envelopes(evidence, trust_folder, work):
    pems = {}
    for path in sorted((trust_folder / "keys").glob("*.pem")):
        public_key = load_pem_public_key(path.read_bytes())
        pems[path] = public_key
    count = 0
    for path in sorted(evidence.glob("attestations/*.sigstore.json")):
        bundle = json.loads(path.read_bytes())
        data = bundle["dsseEnvelope"]
        data["signatures"] = [{"keyid": s.get("keyid", ""), "sig": s["sig"]} for s in data["signatures"]]
        envelope = Envelope.from_dict(data)
        pem = signer(envelope, pems)
        payload = json.loads(envelope.payload)
        message = ParseDict(payload, statement_pb2.Statement())
        Statement.copy_from_pb(message).validate()
        (signature,) = envelope.signatures.values()
        stem = path.name.removesuffix(".sigstore.json")
        (work / f"{stem}.pae").write_bytes(envelope.pae())
        (work / f"{stem}.sig").write_bytes(bytes.fromhex(signature.signature))
        (work / f"{stem}.key").write_text(str(pem))
        count += 1
    assert count > 0, "the evidence has no attestation"
    print(f"securesystemslib, in-toto-attestation  {count} envelopes and statements verify")


def signer(envelope, pems):
    (keyid,) = envelope.signatures.keys()
    for path, public_key in pems.items():
        try:
            envelope.verify([SSlibKey.from_crypto(public_key, keyid=keyid)], 1)
            return path
        except (VerificationError, ValueError):
            continue
    raise AssertionError("no key in trust/ verifies the envelope")


def main():
    evidence, trust_folder, work = (Path(argument) for argument in sys.argv[1:4])
    trust = json.loads((trust_folder / "trust.json").read_bytes())
    check_assertions(evidence, trust)
    check_envelopes(evidence, trust_folder, work)


if __name__ == "__main__":
    main()
