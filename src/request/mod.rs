//! Requests as futures: [`Requester`], which asks, and [`Service`], which answers.

mod requester;
mod service;

pub use requester::{Request, RequestError, Requester};
pub use service::Service;
