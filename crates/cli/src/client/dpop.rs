//! A proof for each request that its sender holds the session key (RFC 9449, section 4.2).

use chancery_canonical::Sha256;
use chancery_canonical::base64::encode_url;
use serde_json::json;

use crate::failure::Failure;
use crate::moment;
use crate::session::Session;

/// The value of the `DPoP` header for one request. `url` may have a query, which is not covered.
pub fn proof(session: &Session, method: &str, url: &str) -> Result<String, Failure> {
    let target = url.split(['?', '#']).next().unwrap_or(url);
    let header = json!({
        "typ": "dpop+jwt",
        "alg": "EdDSA",
        "jwk": {"kty": "OKP", "crv": "Ed25519", "x": session.public_key()},
    });
    let claims = json!({
        "jti": super::random_text()?,
        "htm": method,
        "htu": target,
        "iat": moment::unix_now(),
        "ath": encode_url(Sha256::of(session.token().as_bytes()).as_bytes()),
    });
    let signed = format!(
        "{}.{}",
        encode_url(header.to_string().as_bytes()),
        encode_url(claims.to_string().as_bytes())
    );
    let signature = session.sign(signed.as_bytes());
    Ok(format!("{signed}.{}", encode_url(&signature)))
}
