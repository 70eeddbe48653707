//! The program as its users run it: real repositories, real stores, real processes.

mod judge;
mod record;
mod repository;
mod solo;
mod world;
