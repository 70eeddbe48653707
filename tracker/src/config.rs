//! What the project wants: `tachograph.toml`, strict.
