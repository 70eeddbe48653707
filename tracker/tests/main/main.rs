//! The program as its users run it: real repositories, real stores, real processes.

mod doctor;
mod gating;
mod import;
mod judge;
mod killed;
mod record;
mod repository;
mod running;
mod solo;
mod world;
