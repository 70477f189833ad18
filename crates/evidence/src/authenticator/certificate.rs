//! What a certificate must say to be one for attestation (section 8.2.1). That it is a certificate of version 3, no
//! authority, valid and signed, is found out by whoever follows its chain.

use webpki::EndEntityCert;

use super::Aaguid;

// Attribute types (X.520) and the extension with the model (section 8.2.1), without tag and length.
const COUNTRY: &[u8] = &[0x55, 0x04, 0x06];
const ORGANISATION: &[u8] = &[0x55, 0x04, 0x0a];
const ORGANISATIONAL_UNIT: &[u8] = &[0x55, 0x04, 0x0b];
const COMMON_NAME: &[u8] = &[0x55, 0x04, 0x03];
const MODEL: &[u8] = &[0x2b, 0x06, 0x01, 0x04, 0x01, 0x82, 0xe5, 0x1c, 0x01, 0x01, 0x04];

/// The one organisational unit of all attestation certificates.
const UNIT: &[u8] = b"Authenticator Attestation";

// Tags (X.690 section 8).
const BOOLEAN: u8 = 0x01;
const OCTET_STRING: u8 = 0x04;
const OBJECT_IDENTIFIER: u8 = 0x06;
const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const EXTENSIONS: u8 = 0xa3;

/// What the certificate says of the authenticator.
pub struct AttestationCertificate {
    /// The model, where the certificate is for one.
    pub aaguid: Option<Aaguid>,
}

impl AttestationCertificate {
    /// Reads it; `None` where it is not a certificate for attestation.
    pub fn read(certificate: &EndEntityCert<'_>) -> Option<Self> {
        let subject = certificate.subject();
        let named = |kind: &[u8]| attribute(subject, kind).filter(|value| !value.is_empty());
        named(COUNTRY)?;
        named(ORGANISATION)?;
        named(COMMON_NAME)?;
        if named(ORGANISATIONAL_UNIT)? != UNIT {
            return None;
        }
        let der = certificate.der();
        Some(Self { aaguid: model(extensions(&der)?)? })
    }
}

/// The first attribute of this type in a name.
fn attribute<'d>(subject: &'d [u8], kind: &[u8]) -> Option<&'d [u8]> {
    let mut names = Reader(subject);
    while let Some(mut set) = names.nested(SET) {
        let mut pair = set.nested(SEQUENCE)?;
        if pair.of(OBJECT_IDENTIFIER)? == kind {
            return pair.next().map(|(_, value)| value);
        }
    }
    None
}

/// The extensions of a certificate (RFC 5280 section 4.1); none at all is a reader at its end.
fn extensions(der: &[u8]) -> Option<Reader<'_>> {
    let mut body = Reader(der).nested(SEQUENCE)?.nested(SEQUENCE)?;
    while let Some((tag, content)) = body.next() {
        if tag == EXTENSIONS {
            return Reader(content).nested(SEQUENCE);
        }
    }
    Some(Reader(&[]))
}

/// The model in the extensions; the outer `None` where the extension is not as it must be.
fn model(mut extensions: Reader<'_>) -> Option<Option<Aaguid>> {
    while let Some(mut extension) = extensions.nested(SEQUENCE) {
        if extension.of(OBJECT_IDENTIFIER)? != MODEL {
            continue;
        }
        let (tag, value) = extension.next()?;
        // It must not be critical: then a flag stands before the value.
        if tag == BOOLEAN || tag != OCTET_STRING {
            return None;
        }
        let bytes = Reader(value).of(OCTET_STRING)?;
        return Some(Some(Aaguid::new(bytes.try_into().ok()?)));
    }
    Some(None)
}

/// Reads DER (X.690 section 10) that a stricter reader has been through before.
struct Reader<'d>(&'d [u8]);

impl<'d> Reader<'d> {
    /// Tag and content of what comes next.
    fn next(&mut self) -> Option<(u8, &'d [u8])> {
        let (&[tag, first], rest) = self.0.split_first_chunk::<2>()?;
        let (length, rest) = match first {
            0..=0x7f => (usize::from(first), rest),
            0x81 => rest.split_first().map(|(length, rest)| (usize::from(*length), rest))?,
            0x82 => rest
                .split_first_chunk::<2>()
                .map(|(length, rest)| (usize::from(u16::from_be_bytes(*length)), rest))?,
            _ => return None,
        };
        let (content, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        Some((tag, content))
    }

    /// The content of what comes next, if it has this tag.
    fn of(&mut self, tag: u8) -> Option<&'d [u8]> {
        self.next().filter(|(found, _)| *found == tag).map(|(_, content)| content)
    }

    fn nested(&mut self, tag: u8) -> Option<Self> {
        self.of(tag).map(Reader)
    }
}
