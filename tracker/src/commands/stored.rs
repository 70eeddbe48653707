//! The arguments by which a verb finds its store.

use clap::Args;

use crate::failure::Outcome;
use crate::flow;
use crate::record::{Address, Store};

/// Which store.
#[derive(Debug, Args)]
pub(super) struct StoreArgs {
    /// The store; else the project's, else .tachograph/store.db at the repository's root
    #[arg(long, value_name = "FILE", env = "TACHOGRAPH_STORE", hide_env_values = true)]
    store: Option<String>,
}

impl StoreArgs {
    /// Where the store is, whether it is there yet or not.
    pub(super) fn address(&self) -> Outcome<Address> {
        flow::store::address(self.store.as_deref())
    }

    /// Opens the store to read it.
    pub(super) fn open_to_read(&self) -> Outcome<Store> {
        Ok(Store::open_to_read(&self.address()?)?)
    }
}
