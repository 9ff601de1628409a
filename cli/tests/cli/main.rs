//! The program, against itself and against libzmq.

mod codes;
mod formats;
mod itself;
mod others;
mod pyzmq;
mod scratch;
mod security;
mod tool;
