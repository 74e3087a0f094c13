//! A cluster whose parts run in the containers of `docker-compose.yml`.

mod configuration;
pub(crate) mod engine;
mod handout;
