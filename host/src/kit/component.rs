//! From a core module to a component.

use wasi_preview1_component_adapter_provider::{
    WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME, WASI_SNAPSHOT_PREVIEW1_REACTOR_ADAPTER,
};
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};

use super::{KitError, contract::Contract};

/// Makes a component of a module whose exports are those of the contract's world. What the module
/// imports of WASI's first preview, which the compilers of C and Go still speak, an adapter
/// translates. Of the contract only what the module really imports is imported.
pub(super) fn from_module(
    tool: &'static str,
    module: Vec<u8>,
    contract: &Contract,
) -> Result<Vec<u8>, KitError> {
    let make = || {
        let mut module = module;
        embed_component_metadata(
            &mut module,
            &contract.resolve,
            contract.world,
            StringEncoding::UTF8,
            false,
        )?;
        let mut encoder = ComponentEncoder::default();
        encoder.validate(true).module(&module)?;
        encoder.adapter(
            WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME,
            WASI_SNAPSHOT_PREVIEW1_REACTOR_ADAPTER,
        )?;
        encoder.encode()
    };
    make().map_err(|error: anyhow::Error| KitError::Component {
        tool,
        error: format!("{error:#}"),
    })
}
