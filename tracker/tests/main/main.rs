//! The program as its users run it: real repositories, real stores, real processes.

mod repository;
mod world;
