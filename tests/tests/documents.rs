//! Pages that are made of something else agree with it.

use std::fs;

#[test]
fn the_page_of_the_contract_is_made_of_its_comments() {
    let page = fs::read_to_string(xtask::root().join("docs/contract.md")).expect("the page");
    let made = xtask::contract().expect("the contract");
    assert!(
        page == made,
        "docs/contract.md is not what wit/ says; run `cargo xtask contract`"
    );
}
