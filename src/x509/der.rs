//! Writing DER (X.690), as far as certificates and keys need it.

/// Encoded object identifiers, without tag and length.
pub(crate) mod oid {
    pub(crate) const EC_PUBLIC_KEY: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
    pub(crate) const P256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
    pub(crate) const P384: &[u8] = &[0x2b, 0x81, 0x04, 0x00, 0x22];
    pub(crate) const ED25519: &[u8] = &[0x2b, 0x65, 0x70];
    pub(crate) const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
    pub(crate) const RSA_SHA256: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0b];
    pub(crate) const ECDSA_SHA256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02];
    pub(crate) const ECDSA_SHA384: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x03];
    pub(crate) const COMMON_NAME: &[u8] = &[0x55, 0x04, 0x03];
    pub(crate) const ORGANIZATION: &[u8] = &[0x55, 0x04, 0x0a];
    pub(crate) const SUBJECT_KEY_ID: &[u8] = &[0x55, 0x1d, 0x0e];
    pub(crate) const KEY_USAGE: &[u8] = &[0x55, 0x1d, 0x0f];
    pub(crate) const SUBJECT_ALT_NAME: &[u8] = &[0x55, 0x1d, 0x11];
    pub(crate) const BASIC_CONSTRAINTS: &[u8] = &[0x55, 0x1d, 0x13];
    pub(crate) const AUTHORITY_KEY_ID: &[u8] = &[0x55, 0x1d, 0x23];
    pub(crate) const EXTENDED_KEY_USAGE: &[u8] = &[0x55, 0x1d, 0x25];
    pub(crate) const SERVER_AUTH: &[u8] = &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x01];
    pub(crate) const CLIENT_AUTH: &[u8] = &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x02];
}

pub(crate) const NULL: &[u8] = &[0x05, 0x00];
pub(crate) const TRUE: &[u8] = &[0x01, 0x01, 0xff];

const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const OCTET_STRING: u8 = 0x04;
const OBJECT_IDENTIFIER: u8 = 0x06;
const UTF8_STRING: u8 = 0x0c;
const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;

/// One value: tag, length and the parts one after the other.
pub(crate) fn value(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let length: usize = parts.iter().map(|part| part.len()).sum();
    let mut der = Vec::with_capacity(length + 6);
    der.push(tag);
    match u8::try_from(length) {
        Ok(short) if short < 0x80 => der.push(short),
        _ => {
            let bytes = length.to_be_bytes();
            let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
            // A length has at most eight bytes.
            der.push(0x80 | u8::try_from(bytes.len() - zeros).unwrap_or(8));
            der.extend_from_slice(&bytes[zeros..]);
        }
    }
    for part in parts {
        der.extend_from_slice(part);
    }
    der
}

pub(crate) fn sequence(parts: &[&[u8]]) -> Vec<u8> {
    value(SEQUENCE, parts)
}

pub(crate) fn set(parts: &[&[u8]]) -> Vec<u8> {
    value(SET, parts)
}

pub(crate) fn octets(bytes: &[u8]) -> Vec<u8> {
    value(OCTET_STRING, &[bytes])
}

pub(crate) fn identifier(encoded: &[u8]) -> Vec<u8> {
    value(OBJECT_IDENTIFIER, &[encoded])
}

pub(crate) fn text(text: &str) -> Vec<u8> {
    value(UTF8_STRING, &[text.as_bytes()])
}

/// A string of whole bytes, or of one byte with bits to leave out at its end.
pub(crate) fn bits(bytes: &[u8], unused: u8) -> Vec<u8> {
    value(BIT_STRING, &[&[unused], bytes])
}

/// A number that is not negative, from its big-endian bytes.
pub(crate) fn integer(bytes: &[u8]) -> Vec<u8> {
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    let digits = &bytes[zeros..];
    match digits.first() {
        Some(first) if *first < 0x80 => value(INTEGER, &[digits]),
        _ => value(INTEGER, &[&[0], digits]),
    }
}

/// A `SubjectPublicKeyInfo` (RFC 5280 section 4.1.2.7); `parameters` is encoded DER or empty.
pub(crate) fn public_key(algorithm: &[u8], parameters: &[u8], key: &[u8]) -> Vec<u8> {
    let algorithm = sequence(&[&identifier(algorithm), parameters]);
    sequence(&[&algorithm, &bits(key, 0)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(der: &[u8], expected: &[u8]) {
        assert_eq!(der, expected);
    }

    #[test]
    fn lengths_are_as_short_as_they_can_be() {
        check(&octets(&[7]), &[4, 1, 7]);
        check(&octets(&[0; 127])[..2], &[4, 127]);
        check(&octets(&[0; 128])[..3], &[4, 0x81, 128]);
        check(&octets(&[0; 256])[..4], &[4, 0x82, 1, 0]);
        check(&octets(&[]), &[4, 0]);
    }

    #[test]
    fn integers_are_positive_and_short() {
        check(&integer(&[0, 0, 1]), &[2, 1, 1]);
        check(&integer(&[0x80]), &[2, 2, 0, 0x80]);
        check(&integer(&[0]), &[2, 1, 0]);
        check(&integer(&[]), &[2, 1, 0]);
    }

    #[test]
    fn values_nest() {
        check(
            &sequence(&[NULL, &text("a")]),
            &[0x30, 5, 5, 0, 0x0c, 1, b'a'],
        );
        check(&set(&[]), &[0x31, 0]);
        check(&bits(&[0xa0], 5), &[3, 2, 5, 0xa0]);
        check(&identifier(&[0x55, 4, 3]), &[6, 3, 0x55, 4, 3]);
    }
}
