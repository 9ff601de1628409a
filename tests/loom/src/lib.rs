//! `Duty` and `Handover` of ferromq in every order that threads can meet in.
//!
//! The files are included as they are; only `crate::sync` is loom's here.

#![allow(dead_code)] // Not every method is met in a model.

mod sync {
    pub(crate) use loom::sync::atomic;
}

#[path = "../../../src/pipe/duty.rs"]
mod duty;
#[path = "../../../src/pipe/handover.rs"]
mod handover;

pub mod reading;
pub mod writing;
