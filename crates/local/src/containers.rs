//! A cluster whose parts run in the containers of `docker-compose.yml`.

pub(crate) mod engine;
mod handout;
