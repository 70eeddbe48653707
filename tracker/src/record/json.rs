//! The columns that hold JSON.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::error::Fault;

/// The JSON form of a domain type.
pub(super) fn write<T: Serialize>(value: &T) -> Result<String, Fault> {
    serde_json::to_string(value).map_err(|error| Fault::Unusable(error.to_string()))
}

/// A domain type from its JSON form; what does not read back was not written by us.
pub(super) fn read<T: DeserializeOwned>(what: &'static str, text: &str) -> Result<T, Fault> {
    serde_json::from_str(text).map_err(|error| Fault::Damaged(format!("{what}: {error}")))
}
