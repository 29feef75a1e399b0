//! Random bytes and texts.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use ring::rand::{SecureRandom as _, SystemRandom};
use zeroize::Zeroizing;

use super::Error;
use crate::manifest::generator::{Random, RandomEncoding};

const ALPHANUMERIC: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
/// What tokens are made of (kubernetes `k8s.io/cluster-bootstrap/token/api`).
const TOKEN: &[u8] = b"abcdefghijklmnopqrstuvwxyz0123456789";
const TOKEN_ID_LENGTH: usize = 6;
const TOKEN_SECRET_LENGTH: usize = 16;

/// Makes random bytes.
pub(super) fn bytes<const N: usize>() -> Result<Zeroizing<[u8; N]>, Error> {
    let mut bytes = Zeroizing::new([0; N]);
    fill(&mut bytes[..])?;
    Ok(bytes)
}

/// Makes one text.
pub(super) fn text(random: Random) -> Result<Zeroizing<Vec<u8>>, Error> {
    match random.encoding {
        RandomEncoding::Base64 => {
            let bytes = several(random.size)?;
            Ok(Zeroizing::new(BASE64_STANDARD.encode(&bytes).into_bytes()))
        }
        RandomEncoding::Hex => {
            let digits = |byte: &u8| {
                [byte >> 4, byte & 15].map(|digit| b"0123456789abcdef"[usize::from(digit)])
            };
            let bytes = several(random.size)?;
            Ok(Zeroizing::new(bytes.iter().flat_map(digits).collect()))
        }
        RandomEncoding::Alphanumeric => letters(ALPHANUMERIC, random.size),
        RandomEncoding::Token => {
            let mut token = letters(TOKEN, TOKEN_ID_LENGTH + 1 + TOKEN_SECRET_LENGTH)?;
            token[TOKEN_ID_LENGTH] = b'.';
            Ok(token)
        }
    }
}

/// Makes a text of letters of the alphabet, each as likely as the others.
fn letters(alphabet: &[u8], length: usize) -> Result<Zeroizing<Vec<u8>>, Error> {
    // The largest multiple of the alphabet that a byte holds: bytes from there on are left out.
    let limit = 256 / alphabet.len() * alphabet.len();
    let mut text = Zeroizing::new(Vec::with_capacity(length));
    while text.len() < length {
        let bytes = several(length)?;
        let fair = bytes.iter().map(|byte| usize::from(*byte));
        let letters = fair
            .filter(|byte| *byte < limit)
            .map(|byte| alphabet[byte % alphabet.len()]);
        let missing = length - text.len();
        text.extend(letters.take(missing));
    }
    Ok(text)
}

fn several(count: usize) -> Result<Zeroizing<Vec<u8>>, Error> {
    let mut bytes = Zeroizing::new(vec![0; count]);
    fill(&mut bytes)?;
    Ok(bytes)
}

fn fill(bytes: &mut [u8]) -> Result<(), Error> {
    SystemRandom::new().fill(bytes).map_err(|_| Error::Random)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[track_caller]
    fn check(encoding: RandomEncoding, size: usize, expected_length: usize) {
        let random = Random { encoding, size };
        let (one, two) = (text(random).unwrap(), text(random).unwrap());
        assert_eq!(one.len(), expected_length);
        assert!(encoding.is_form_of(&one), "{encoding:?}");
        assert_ne!(one, two, "{encoding:?}");
    }

    #[test]
    fn texts_have_their_form_and_size() {
        check(RandomEncoding::Base64, 32, 44);
        check(RandomEncoding::Hex, 16, 32);
        check(RandomEncoding::Alphanumeric, 24, 24);
        check(RandomEncoding::Token, 0, 23);
    }

    #[test]
    fn every_letter_comes_up() {
        let text = letters(ALPHANUMERIC, 10_000).unwrap();
        let found: BTreeSet<_> = text.iter().collect();
        assert_eq!(found.len(), ALPHANUMERIC.len());
    }
}
