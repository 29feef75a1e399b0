//! The grammar of the `--set` flags, by recursive descent.

use serde::Deserialize as _;
use serde::de::IgnoredAny;
use serde_json::{Map, Value};

use super::scanner::{Escapes, Scanner};
use super::{Fault, Kind, MAX_DEPTH, MAX_INDEX, MAX_NAMES, MAX_PADDING};
use crate::yaml;

/// What makes a value of the text after `=`.
type Convert<'a> = &'a mut dyn FnMut(String) -> Result<Value, Fault>;

/// Whether there is more to read after a part of the argument.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rest {
    More,
    End,
    /// The argument ended before it gave a value.
    Nothing,
}

#[derive(Debug, Clone, Copy)]
struct Depth {
    names: usize,
    all: usize,
}

impl Depth {
    fn name(self) -> Result<Self, Fault> {
        if self.names == MAX_NAMES {
            return Err(Fault::TooDeep { limit: MAX_NAMES });
        }
        Self {
            names: self.names + 1,
            ..self
        }
        .index()
    }

    fn index(self) -> Result<Self, Fault> {
        if self.all == MAX_DEPTH {
            return Err(Fault::TooDeep { limit: MAX_DEPTH });
        }
        Ok(Self {
            all: self.all + 1,
            ..self
        })
    }
}

pub(super) struct Parser<'a> {
    kind: Kind,
    scanner: Scanner<'a>,
    convert: Convert<'a>,
    padding: usize,
}

impl<'a> Parser<'a> {
    pub(super) fn new(kind: Kind, text: &'a str, convert: Convert<'a>) -> Self {
        let escapes = match kind {
            Kind::Literal => Escapes::None,
            _ => Escapes::Backslash,
        };
        Self {
            kind,
            scanner: Scanner::new(text, escapes),
            convert,
            padding: 0,
        }
    }

    pub(super) fn assignments(&mut self, values: &mut Map<String, Value>) -> Result<(), Fault> {
        while self.assignment(values, Depth { names: 0, all: 0 })? == Rest::More {}
        Ok(())
    }

    /// Reads one `key=value`, or the rest of one below a mapping already entered.
    fn assignment(&mut self, values: &mut Map<String, Value>, depth: Depth) -> Result<Rest, Fault> {
        let stops: &[char] = match self.kind {
            Kind::Literal => &['=', '[', '.'],
            _ => &['=', '[', '.', ','],
        };
        let (key, stop) = self.scanner.until(stops);
        match stop {
            None if key.is_empty() => Ok(Rest::End),
            None | Some(',') => Err(Fault::NoValue { key }),
            Some('=') => {
                let (value, rest) = self.value(&key)?;
                insert(values, key, value);
                Ok(rest)
            }
            Some('[') => self.enter_list(values, key, depth),
            Some(_) => self.enter_mapping(values, key, depth.name()?),
        }
    }

    fn enter_mapping(
        &mut self,
        values: &mut Map<String, Value>,
        key: String,
        depth: Depth,
    ) -> Result<Rest, Fault> {
        if self.scanner.is_at_end() {
            return Err(Fault::NoValue { key });
        }
        let mut inner = match values.remove(&key) {
            None => Map::new(),
            Some(Value::Object(inner)) => inner,
            Some(_) => return Err(Fault::NotMapping { key }),
        };
        let rest = self.assignment(&mut inner, depth)?;
        if inner.is_empty() {
            return Err(Fault::NoValue { key });
        }
        insert(values, key, Value::Object(inner));
        Ok(rest)
    }

    fn enter_list(
        &mut self,
        values: &mut Map<String, Value>,
        key: String,
        depth: Depth,
    ) -> Result<Rest, Fault> {
        let index = self.index()?;
        let mut list = match values.remove(&key) {
            None => Vec::new(),
            Some(Value::Array(list)) => list,
            Some(_) => return Err(Fault::NotList { key }),
        };
        let rest = self.item(&mut list, index, depth.index()?)?;
        insert(values, key, Value::Array(list));
        Ok(rest)
    }

    /// Reads what follows `]` into the item at `index`.
    fn item(&mut self, list: &mut Vec<Value>, index: usize, depth: Depth) -> Result<Rest, Fault> {
        let (text, stop) = self.scanner.until(&['[', '.', '=']);
        if !text.is_empty() {
            return Err(Fault::AfterIndex { text });
        }
        let item = list.get_mut(index);
        let (value, rest) = match stop {
            None => return Ok(Rest::Nothing),
            Some('=') => self.value(&format!("[{index}]"))?,
            Some('[') => self.enter_item_list(item, depth.index()?)?,
            Some(_) => self.enter_item_mapping(item, depth.index()?)?,
        };
        if rest != Rest::Nothing || index < list.len() {
            self.place(list, index, value)?;
        }
        Ok(rest)
    }

    fn enter_item_list(
        &mut self,
        item: Option<&mut Value>,
        depth: Depth,
    ) -> Result<(Value, Rest), Fault> {
        let index = self.index()?;
        let mut list = match item.map(Value::take) {
            None | Some(Value::Null) => Vec::new(),
            Some(Value::Array(list)) => list,
            Some(_) => {
                return Err(Fault::NotList {
                    key: format!("[{index}]"),
                });
            }
        };
        let rest = self.item(&mut list, index, depth)?;
        Ok((Value::Array(list), rest))
    }

    fn enter_item_mapping(
        &mut self,
        item: Option<&mut Value>,
        depth: Depth,
    ) -> Result<(Value, Rest), Fault> {
        if self.scanner.is_at_end() {
            return Err(Fault::NoValue { key: String::new() });
        }
        let mut inner = match item.map(Value::take) {
            Some(Value::Object(inner)) => inner,
            _ => Map::new(),
        };
        let rest = self.assignment(&mut inner, depth)?;
        Ok((Value::Object(inner), rest))
    }

    fn place(&mut self, list: &mut Vec<Value>, index: usize, value: Value) -> Result<(), Fault> {
        if index > MAX_INDEX {
            return Err(Fault::IndexTooLarge { index });
        }
        if let Some(slot) = list.get_mut(index) {
            *slot = value;
            return Ok(());
        }
        self.padding += index - list.len();
        if self.padding > MAX_PADDING {
            return Err(Fault::TooManyGaps);
        }
        list.resize(index, Value::Null);
        list.push(value);
        Ok(())
    }

    fn index(&mut self) -> Result<usize, Fault> {
        let (text, stop) = self.scanner.until(&[']']);
        match (text.parse(), stop) {
            (Ok(index), Some(_)) => Ok(index),
            _ => Err(Fault::Index { index: text }),
        }
    }

    /// Reads what follows `=`, up to and with the next comma.
    fn value(&mut self, key: &str) -> Result<(Value, Rest), Fault> {
        match self.kind {
            Kind::Json => return Ok((self.json(key)?, Rest::More)),
            Kind::Literal => {
                let text = self.scanner.rest().to_owned();
                self.scanner.skip(text.len());
                return Ok((Value::String(text), Rest::More));
            }
            Kind::Set | Kind::String | Kind::File => {}
        }
        if self.scanner.is_at_end() {
            return Ok((Value::String(String::new()), Rest::End));
        }
        if self.scanner.take('{') {
            return self.list().map(|list| (list, Rest::More));
        }
        let (text, _) = self.scanner.until(&[',']);
        Ok(((self.convert)(text)?, Rest::More))
    }

    /// Reads one JSON value and what separates it from the next key; nothing is null.
    fn json(&mut self, key: &str) -> Result<Value, Fault> {
        if self.scanner.blanks() {
            return Ok(Value::Null);
        }
        let mut reader = serde_json::Deserializer::from_str(self.scanner.rest());
        let mut value = Value::deserialize(&mut reader).map_err(|error| Fault::Json {
            key: key.to_owned(),
            problem: error.to_string(),
        })?;
        self.scanner
            .skip(reader.into_iter::<IgnoredAny>().byte_offset());
        self.scanner.blanks();
        yaml::fold_integers(&mut value);
        Ok(value)
    }

    fn list(&mut self) -> Result<Value, Fault> {
        let mut items = Vec::new();
        loop {
            let (text, stop) = self.scanner.until(&[',', '}']);
            if stop.is_none() {
                return Err(Fault::OpenList);
            }
            items.push((self.convert)(text)?);
            if stop == Some('}') {
                self.scanner.take(',');
                return Ok(Value::Array(items));
            }
        }
    }
}

/// An empty key is read and dropped.
fn insert(values: &mut Map<String, Value>, key: String, value: Value) {
    if !key.is_empty() {
        values.insert(key, value);
    }
}
