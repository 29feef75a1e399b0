//! Things that are costly to make and are asked for again and again.
//!
//! A text and how to make a thing of it come in, the thing goes out, made at most once as long as
//! there is room.

use std::collections::BTreeMap;
use std::sync::{PoisonError, RwLock};

/// So many things are kept.
const ROOM: usize = 256;

/// Things by the text that they are made of; threads share them.
pub(super) struct Kept<T>(RwLock<BTreeMap<String, T>>);

impl<T> Default for Kept<T> {
    fn default() -> Self {
        Self(RwLock::default())
    }
}

impl<T: Clone> Kept<T> {
    /// The thing made of `text`.
    pub(super) fn get<E>(
        &self,
        text: &str,
        make: impl FnOnce(&str) -> Result<T, E>,
    ) -> Result<T, E> {
        let kept = self.0.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = kept.get(text) {
            return Ok(found.clone());
        }
        drop(kept);
        let thing = make(text)?;
        let mut kept = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if kept.len() < ROOM {
            kept.insert(text.to_owned(), thing.clone());
        }
        Ok(thing)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thing_is_made_once_while_there_is_room() {
        let kept = Kept::default();
        let mut made = 0;
        for text in (0..=ROOM).chain(0..=ROOM) {
            let thing = kept.get(&text.to_string(), |text| {
                made += 1;
                text.parse::<usize>()
            });
            assert_eq!(thing, Ok(text));
        }
        assert_eq!(made, ROOM + 2);
        assert!(kept.get("x", str::parse).is_err());
    }
}
