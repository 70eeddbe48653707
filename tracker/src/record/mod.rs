//! The database. Only this room says `sqlx`.
