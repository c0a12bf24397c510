//! The contract in `wit/`, as Rust types: made by wit-bindgen, public only for [`crate::export!`].

wit_bindgen::generate!({
    path: "../../wit",
    world: "authenticator",
    generate_all,
    pub_export_macro: true,
});
