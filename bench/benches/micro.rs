//! What the parts of a login cost: `cargo bench --package countersign-bench`.

#[path = "micro/codec.rs"]
mod codec;
#[path = "micro/method.rs"]
mod method;
#[path = "micro/policy.rs"]
mod policy;

use criterion::{criterion_group, criterion_main};

criterion_group!(benches, codec::codec, policy::policy, method::methods);
criterion_main!(benches);
