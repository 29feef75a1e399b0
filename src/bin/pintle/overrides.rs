//! From the values flags to the layers of values.

use pintle::chart::{Layer, Overrides};
use pintle::ops;
use pintle::source;

use crate::cli::ValueArgs;
use crate::failure::Failure;

/// Reads the files and puts the layers into Helm's order.
pub(crate) fn read(args: &ValueArgs) -> Result<Overrides, Failure> {
    let mut overrides = Overrides::default();
    for file in &args.files {
        let text = source::read_values(file).map_err(ops::Error::from)?;
        overrides.layers.push(Layer::File {
            name: file.clone(),
            text,
        });
    }
    for argument in &args.set {
        overrides.layers.push(Layer::Set(argument.clone()));
    }
    Ok(overrides)
}
