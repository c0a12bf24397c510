//! From a core module to a component, and whether that is a method.

use wasi_preview1_component_adapter_provider::{
    WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME, WASI_SNAPSHOT_PREVIEW1_REACTOR_ADAPTER,
};
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};

use wit_parser::decoding::{DecodedWasm, decode};

use super::{
    KitError,
    contract::{self, Contract},
};

/// Makes a component of a module whose exports are those of the contract's world. What the module
/// imports of WASI's first preview, which the compilers of C and Go still speak, an adapter
/// translates. Of the contract only what the module really imports is imported.
///
/// What world that is, the module says itself; where its tools cannot have it say so, `world` does.
pub(super) fn from_module(
    tool: &'static str,
    module: Vec<u8>,
    world: Option<&Contract>,
) -> Result<Vec<u8>, KitError> {
    make(module, world).map_err(|error| KitError::Component {
        tool,
        error: format!("{error:#}"),
    })
}

fn make(mut module: Vec<u8>, world: Option<&Contract>) -> anyhow::Result<Vec<u8>> {
    if let Some(Contract { resolve, world }) = world {
        let encoding = StringEncoding::UTF8;
        embed_component_metadata(&mut module, resolve, *world, encoding, false)?;
    }
    let mut encoder = ComponentEncoder::default();
    encoder.validate(true).module(&module)?;
    encoder.adapter(
        WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME,
        WASI_SNAPSHOT_PREVIEW1_REACTOR_ADAPTER,
    )?;
    encoder.encode()
}

/// Whether a build has made a method: a tool can be content with less, and a router would be the first
/// to say so.
pub(super) fn check(octets: &[u8]) -> Result<(), KitError> {
    // `\0asm`, then a version and a layer: 1 and 0 for a module.
    if octets.starts_with(b"\0asm\x01\0\0\0") {
        return Err(KitError::CoreModule);
    }
    let unreadable = |error: String| KitError::NoComponent { error };
    let (resolve, world) = match decode(octets) {
        Ok(DecodedWasm::Component(resolve, world)) => (resolve, world),
        Ok(DecodedWasm::WitPackage(..)) => return Err(unreadable("it has types only".into())),
        Err(error) => return Err(unreadable(format!("{error:#}"))),
    };
    let exports = resolve.worlds.get(world).map(|world| &world.exports);
    let is_there = |interface: &String| {
        let mut keys = exports.into_iter().flat_map(|exports| exports.keys());
        keys.any(|key| resolve.name_world_key(key) == *interface)
    };
    match contract::exports().find(|interface| !is_there(interface)) {
        Some(export) => Err(KitError::NotExported { export }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complaint(octets: &[u8]) -> String {
        check(octets).unwrap_err().to_string()
    }

    #[test]
    fn what_is_no_method_is_told() {
        let module = complaint(b"\0asm\x01\0\0\0");
        assert!(module.contains("a core WebAssembly module"), "{module}");
        let empty = complaint(b"\0asm\x0d\0\x01\0");
        assert!(
            empty.contains("does not export countersign:auth/method@0.1.0"),
            "{empty}"
        );
        let script = complaint(b"#!/bin/sh\n");
        assert!(script.contains("is no component"), "{script}");
    }
}
