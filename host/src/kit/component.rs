//! From a core module to a component.

use wasi_preview1_component_adapter_provider::{
    WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME, WASI_SNAPSHOT_PREVIEW1_REACTOR_ADAPTER,
};
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};

use super::{KitError, contract::Contract};

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
