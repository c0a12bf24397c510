//! A procedure decides who is let in: Crossbar's dynamic authenticators.

mod clients;
mod consent;
mod denied;
mod house;
