//! Signing components, for routers that require it.

use std::{
    fmt::Write as _,
    fs::{self, File, OpenOptions},
    io::{Read, Write},
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

use anyhow::{Context, bail};
use base64::{Engine, prelude::BASE64_STANDARD};
use clap::Args;
use ed25519_dalek::{Signer, SigningKey};
use zeroize::Zeroizing;

/// The longest file of a key, in octets: 64 hex digits and the end of a line.
const LONGEST_KEY: u64 = 66;

#[derive(Debug, Args)]
#[command(
    about = "Make an Ed25519 key that components are signed with, and print its public key",
    after_help = "The public key goes into countersign.toml: [methods] signers = [\"…\"]. The file \
                  with the private key belongs where components are made, not where the router runs."
)]
pub(super) struct KeygenArgs {
    /// The file that is made, and must not be there yet
    file: PathBuf,
}

#[derive(Debug, Args)]
#[command(about = "Sign components: beside each NAME.wasm a file NAME.wasm.sig is made")]
pub(super) struct SignArgs {
    /// The file that keygen has made
    #[arg(long, value_name = "FILE")]
    key: PathBuf,

    /// The components
    #[arg(required = true, value_name = "COMPONENT")]
    components: Vec<PathBuf>,
}

pub(super) fn keygen(args: &KeygenArgs) -> anyhow::Result<String> {
    let mut seed = Zeroizing::new([0; 32]);
    getrandom::fill(&mut *seed).context("the system gives no randomness")?;
    let key = SigningKey::from_bytes(&seed);
    let text = Zeroizing::new(format!("{}\n", hex::encode(*seed)));
    let place = || format!("{}: cannot be made", args.file.display());
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&args.file)
        .with_context(place)?;
    file.write_all(text.as_bytes()).with_context(place)?;
    file.sync_all().with_context(place)?;
    Ok(format!("{}\n", hex::encode(key.verifying_key().as_bytes())))
}

pub(super) fn sign(args: &SignArgs) -> anyhow::Result<String> {
    let key = read_key(&args.key)?;
    let mut said = String::new();
    for component in &args.components {
        let octets = fs::read(component)
            .with_context(|| format!("{}: cannot be read", component.display()))?;
        let signature = BASE64_STANDARD.encode(key.sign(&octets).to_bytes());
        let file = crate::realm::signature_path(component);
        put(&file, &format!("{signature}\n"))
            .with_context(|| format!("{}: cannot be written", file.display()))?;
        writeln!(said, "{}", file.display())?;
    }
    Ok(said)
}

fn read_key(path: &Path) -> anyhow::Result<SigningKey> {
    let mut text = Zeroizing::new(String::new());
    File::open(path)
        .and_then(|file| file.take(LONGEST_KEY).read_to_string(&mut text))
        .with_context(|| format!("{}: the key cannot be read", path.display()))?;
    let mut seed = Zeroizing::new([0; 32]);
    if hex::decode_to_slice(text.trim_end(), &mut *seed).is_err() {
        bail!(
            "{}: this is no key that components are signed with: it must be 64 hex digits, as \
             countersign method keygen makes it",
            path.display()
        );
    }
    Ok(SigningKey::from_bytes(&seed))
}

/// A router may be looking: the file is whole or not there.
fn put(path: &Path, text: &str) -> std::io::Result<()> {
    let directory = path.parent().filter(|parent| *parent != Path::new(""));
    let mut file = tempfile::NamedTempFile::new_in(directory.unwrap_or(Path::new(".")))?;
    file.write_all(text.as_bytes())?;
    // As a file that anybody makes: the router may run as another user.
    let mode = fs::Permissions::from_mode(0o644);
    file.as_file().set_permissions(mode)?;
    file.persist(path)?;
    Ok(())
}
