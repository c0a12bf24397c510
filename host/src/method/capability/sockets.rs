//! `wasi:sockets`, which the toolchain of Python imports for every component. It is there so that such a
//! component loads. Nobody gets a socket: whatever would make one, or ask for a name, ends the call,
//! and the log says which it was.

use thiserror::Error;
use wasmtime::component::Linker;
use wasmtime_wasi::{
    p2::bindings::sockets::{self, network::LinkOptions},
    sockets::{WasiSockets, WasiSocketsView as _},
};

use crate::method::guest::Guest;

pub(super) const INTERFACES: &[&str] = &[
    "wasi:sockets/instance-network",
    "wasi:sockets/ip-name-lookup",
    "wasi:sockets/network",
    "wasi:sockets/tcp",
    "wasi:sockets/tcp-create-socket",
    "wasi:sockets/udp",
    "wasi:sockets/udp-create-socket",
];

/// What everything else begins with.
const DOORS: &[(&str, &str)] = &[
    ("wasi:sockets/instance-network@0.2.12", "instance-network"),
    ("wasi:sockets/tcp-create-socket@0.2.12", "create-tcp-socket"),
    ("wasi:sockets/udp-create-socket@0.2.12", "create-udp-socket"),
];

/// On its way up through the guest.
#[derive(Debug, Error)]
#[error(
    "it called {0} of {1}, and there are no sockets for methods; countersign:auth/http asks a service"
)]
struct Denied(&'static str, &'static str);

pub(super) fn link(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    // The types, and what can only be asked of somebody who has a socket.
    let options = LinkOptions::default();
    sockets::network::add_to_linker::<_, WasiSockets>(linker, &options, Guest::sockets)?;
    sockets::tcp::add_to_linker::<_, WasiSockets>(linker, Guest::sockets)?;
    sockets::udp::add_to_linker::<_, WasiSockets>(linker, Guest::sockets)?;
    // It asks for the network, which nobody has.
    sockets::ip_name_lookup::add_to_linker::<_, WasiSockets>(linker, Guest::sockets)?;
    for &(interface, function) in DOORS {
        linker
            .instance(interface)?
            .func_new(function, move |_, _, _, _| {
                Err(Denied(function, interface).into())
            })?;
    }
    Ok(())
}
