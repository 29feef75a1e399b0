//! From the values flags to the layers of values.

use pintle::chart::values::set;
use pintle::chart::{self, Layer, Overrides};
use pintle::ops;
use pintle::source;

use crate::cli::ValueArgs;
use crate::failure::Failure;

/// How standard input is named in flags.
const STDIN: &str = "-";

/// Reads the files, addresses and standard input that the flags name.
pub(crate) fn read(args: &ValueArgs) -> Result<Overrides, Failure> {
    let mut reader = Reader::default();
    let mut layers = vec![];
    for file in &args.files {
        layers.push(Layer::File {
            text: reader.read(file)?,
            name: source::shown(file),
        });
    }
    for argument in &args.set_file {
        let named = set::files(argument).map_err(|e| ops::Error::from(chart::Error::from(e)))?;
        let read = |file: String| Ok((file.clone(), reader.read(&file)?));
        let files = named
            .into_iter()
            .map(read)
            .collect::<Result<_, Failure>>()?;
        let argument = argument.clone();
        layers.push(Layer::SetFile { argument, files });
    }
    layers.extend(args.set_json.iter().cloned().map(Layer::SetJson));
    layers.extend(args.set.iter().cloned().map(Layer::Set));
    layers.extend(args.set_string.iter().cloned().map(Layer::SetString));
    layers.extend(args.set_literal.iter().cloned().map(Layer::SetLiteral));
    Ok(Overrides { layers })
}

/// Reads what flags name; standard input can be read once.
#[derive(Default)]
struct Reader {
    stdin_is_read: bool,
}

impl Reader {
    fn read(&mut self, file: &str) -> Result<String, Failure> {
        if source::is_address(file) {
            return fetch(file);
        }
        if file.trim() != STDIN {
            return Ok(source::read_values(file).map_err(ops::Error::from)?);
        }
        if std::mem::replace(&mut self.stdin_is_read, true) {
            return Err(Failure::Stdin);
        }
        let stdin = std::io::stdin().lock();
        Ok(source::read_values_from("standard input", stdin).map_err(ops::Error::from)?)
    }
}

fn fetch(address: &str) -> Result<String, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let text = runtime.block_on(source::fetch_values(address));
    Ok(text.map_err(ops::Error::from)?)
}
