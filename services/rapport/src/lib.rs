//! The one binary: any subset of the five services in a process, and the command-line client.
//!
//! The client speaks to a running suite through its public contract only, and never reads a database.

pub mod cli;
pub mod client;
pub mod commands;
mod contract;
pub mod databases;
pub mod demo;
pub mod exit;
pub mod import;
pub mod output;
pub mod plot;
pub mod serve;
pub mod shipped;
