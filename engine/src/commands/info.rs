//! `engine info`

use std::io::{self, Write};

use clap::Args;
use engine::shape::{Head, Tensor};

use super::Failure;
use super::named::{Found, Named};

/// Print a model's shape, parameters and tensors.
#[derive(Args)]
pub(super) struct Info {
    #[command(flatten)]
    named: Named,
}

impl Info {
    pub(super) fn run(&self) -> Result<(), Failure> {
        let found = self.named.find()?;
        let shape = found.shape();
        let mut out = io::BufWriter::new(io::stdout().lock());
        let head = match shape.head() {
            Head::Own => "own",
            Head::Tied => "tied to the token embedding",
        };
        for (name, value) in [
            ("vocabulary", shape.vocabulary()),
            ("context", shape.context()),
            ("width", shape.width()),
            ("layers", shape.layers()),
            ("heads", shape.heads()),
            ("parameters", shape.parameter_count()),
            ("tensors", shape.tensor_count()),
        ] {
            writeln!(out, "{name:<12}{value:>12}")?;
        }
        writeln!(out, "{:<12}{head:>12}\n", "head")?;
        for tensor in shape.tensors() {
            let extent = shape.extent(tensor);
            let size = format!("{} × {}", extent.rows, extent.columns);
            writeln!(out, "{:<28}{size:>16}{:>8}", tensor.to_string(), encoding(&found, tensor))?;
        }
        Ok(out.flush()?)
    }
}

fn encoding(found: &Found, tensor: Tensor) -> String {
    match found {
        Found::Shape(_) => "seeded".into(),
        Found::File(file) => {
            let entry = file.header().tensor(&tensor.to_string());
            entry.map_or(String::new(), |entry| entry.encoding.to_string())
        }
    }
}
