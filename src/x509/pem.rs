//! PEM (RFC 7468): text around base64.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use zeroize::{Zeroize, Zeroizing};

use super::Error;

/// How many characters of base64 stand on a line.
const LINE: usize = 64;

/// One block of a text.
pub(crate) struct Block<'a> {
    pub(crate) label: &'a str,
    pub(crate) der: Zeroizing<Vec<u8>>,
}

/// Reads every block; text around them is left out, as every reader does.
pub(crate) fn read(text: &[u8]) -> Result<Vec<Block<'_>>, Error> {
    let text = str::from_utf8(text).map_err(|_| Error::Pem)?;
    let mut lines = text.lines();
    let mut blocks = vec![];
    while let Some(line) = lines.next() {
        let label = line.trim_end().strip_prefix("-----BEGIN ");
        let Some(label) = label.and_then(|rest| rest.strip_suffix("-----")) else {
            continue;
        };
        let mut base64 = Zeroizing::new(String::with_capacity(text.len()));
        loop {
            let line = lines.next().ok_or(Error::Pem)?.trim();
            if let Some(end) = line.strip_prefix("-----END ") {
                if end.strip_suffix("-----") != Some(label) {
                    return Err(Error::Pem);
                }
                break;
            }
            base64.push_str(line);
        }
        let der = BASE64_STANDARD.decode(&*base64).map_err(|_| Error::Pem)?;
        let der = Zeroizing::new(der);
        blocks.push(Block { label, der });
    }
    Ok(blocks)
}

/// Writes one block.
pub(crate) fn write(label: &str, der: &[u8]) -> Zeroizing<Vec<u8>> {
    let mut base64 = BASE64_STANDARD.encode(der);
    let size = base64.len() + base64.len() / LINE + 2 * label.len() + 40;
    let mut pem = Vec::with_capacity(size);
    for (edge, body) in [("BEGIN", base64.as_str()), ("END", "")] {
        for part in ["-----", edge, " ", label, "-----\n"] {
            pem.extend_from_slice(part.as_bytes());
        }
        for line in body.as_bytes().chunks(LINE) {
            pem.extend_from_slice(line);
            pem.push(b'\n');
        }
    }
    base64.zeroize();
    Zeroizing::new(pem)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_survive() {
        for size in [0, 1, 47, 48, 49, 96, 500] {
            let der = vec![0x5a; size];
            let pem = write("SOME KEY", &der);
            let blocks = read(&pem).unwrap();
            assert_eq!(
                (blocks[0].label, &*blocks[0].der),
                ("SOME KEY", &der),
                "{size}"
            );
            assert!(
                pem.split(|byte| *byte == b'\n')
                    .all(|line| line.len() <= LINE)
            );
        }
    }

    #[test]
    fn text_around_blocks_and_other_line_breaks_do_not_matter() {
        let text = b"note\r\n-----BEGIN A-----\r\naGk=\r\n-----END A-----\r\n\n-----BEGIN B-----\n-----END B-----";
        let blocks = read(text).unwrap();
        let found: Vec<_> = blocks.iter().map(|b| (b.label, b.der.len())).collect();
        assert_eq!(found, [("A", 2), ("B", 0)]);
        assert!(read(b"none").unwrap().is_empty());
    }

    #[test]
    fn broken_blocks_are_refused() {
        for text in [
            "-----BEGIN A-----\naGk=\n",
            "-----BEGIN A-----\n%\n-----END A-----\n",
            "-----BEGIN A-----\n-----END B-----\n",
            "-----BEGIN A-----\nProc-Type: 4,ENCRYPTED\n\naGk=\n-----END A-----\n",
        ] {
            assert_eq!(read(text.as_bytes()).err(), Some(Error::Pem), "{text}");
        }
        assert_eq!(read(&[0xff]).err(), Some(Error::Pem));
    }
}
