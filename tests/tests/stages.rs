//! The stages that a component goes through, and what is said of one that does not pass.

use std::{fs, os::unix::fs::PermissionsExt, path::PathBuf};

use countersign_tests::{Client, Component, Deployment, Router};

const REALM: &str = "roles = [\"guest\"]\n[[login]]\nsteps = [\"anonymous\"]\n";

fn anonymous() -> Component {
    Component::method("anonymous")
}

/// A realm with the step `anonymous`, about which its file says this.
fn deployment(method: &str) -> Deployment {
    let deployment = Deployment::bare();
    let table = format!("{REALM}[method.anonymous]\n{method}");
    deployment.realm("realm1", &table);
    deployment.component("anonymous", &anonymous());
    deployment
}

/// Puts a component in place that is not taken, and stages it too. Both name the stage and say why.
async fn fails(router: &Router, component: &Component, stage: &str, why: &str) {
    let file = router.deployment.beside("staged.wasm", component);
    let words = format!("stage {} --realm realm1 --step anonymous", file.display());
    let (good, said) = router.deployment.method(&words).await;
    assert!(!good, "{said}");
    let last = said.lines().rfind(|line| line.contains("not passed"));
    assert!(
        last.is_some_and(|line| line.starts_with(stage)),
        "not in the stage {stage}: {said}"
    );
    assert!(said.contains(why), "{said}");

    router.deployment.component("anonymous", component);
    let told = router
        .log
        .find(|event| {
            event.message().starts_with("not reloaded")
                && event.text("stage") == stage
                && event.message().contains(why)
        })
        .await;
    assert_eq!(told.number("generation"), Some(1));
    Client::join(router, "realm1").await;
}

#[tokio::test]
async fn each_stage_has_its_own_word_for_what_does_not_pass_it() {
    let router = deployment("").start().await;
    let failures = [
        (
            Component::new("nonsense"),
            "compile",
            "is not a WebAssembly component",
        ),
        (
            Component::new(&b"\0asm\x01\0\0\0"[..]),
            "compile",
            "a core WebAssembly module",
        ),
        (cut_off(), "compile", "it does not compile"),
        (
            Component::new(*b"\0asm\x0d\0\x01\0"),
            "link",
            "it does not implement the world",
        ),
        (
            Component::guest("trap"),
            "describe",
            "asked to describe itself",
        ),
        (Component::guest("hostile"), "check", "refuses the settings"),
    ];
    for (component, stage, why) in &failures {
        fails(&router, component, stage, why).await;
    }
    fs::remove_file(router.deployment.path("methods/anonymous.wasm")).unwrap();
    let told = router.log.mention("there is no such file").await;
    assert_eq!(told.text("stage"), "read");
}

/// Its beginning is that of a component.
fn cut_off() -> Component {
    let whole = anonymous();
    Component::new(&whole.octets()[..whole.octets().len() / 2])
}

#[tokio::test]
async fn t25_a_realm_that_pins_a_digest_takes_no_other_component_and_others_go_on() {
    let digest = anonymous().digest();
    let deployment = deployment(&format!("digest = \"sha256:{digest}\"\n"));
    deployment.realm("free", REALM);
    let router = deployment.start().await;
    let other = anonymous().remarked("one octet more");
    fails(&router, &other, "digest", &digest).await;
    fails(&router, &other, "digest", &other.digest()).await;
    router.log.generation("free", 2).await;
    Client::join(&router, "free").await;
}

#[tokio::test]
async fn t25_only_what_a_signer_has_signed_is_run() {
    let deployment = deployment("");
    let (key, public) = keygen(&deployment, "ours.key").await;
    let (foreign, _) = keygen(&deployment, "foreign.key").await;
    deployment.operator(&format!("[methods]\nsigners = [\"{public}\"]\n"));
    sign(&deployment, &key, "methods/anonymous.wasm").await;
    let router = deployment.start().await;
    Client::join(&router, "realm1").await;

    // What was changed after it was signed.
    let other = anonymous().remarked("one octet more");
    router.deployment.component("anonymous", &other);
    let told = router.log.mention("not that of these octets").await;
    assert_eq!(told.text("stage"), "signature");
    // Somebody else's.
    sign(&router.deployment, &foreign, "methods/anonymous.wasm").await;
    let (good, said) = router.deployment.check().await;
    assert!(!good && said.contains("not that of these octets"), "{said}");
    fs::remove_file(router.deployment.path("methods/anonymous.wasm.sig")).unwrap();
    router.log.mention("there is none beside it").await;
    Client::join(&router, "realm1").await;

    sign(&router.deployment, &key, "methods/anonymous.wasm").await;
    router.log.generation("realm1", 2).await;
}

async fn keygen(deployment: &Deployment, name: &str) -> (PathBuf, String) {
    let file = deployment.path(name);
    let words = format!("keygen {}", file.display());
    let (good, public) = deployment.method(&words).await;
    assert!(good, "{public}");
    let mode = fs::metadata(&file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    (file, public.trim_end().to_owned())
}

async fn sign(deployment: &Deployment, key: &std::path::Path, component: &str) {
    let component = deployment.path(component);
    let words = format!("sign --key {} {}", key.display(), component.display());
    let (good, said) = deployment.method(&words).await;
    assert!(good, "{said}");
}

/// The compiled components that are kept.
fn kept(deployment: &Deployment) -> Vec<PathBuf> {
    in_the_cache(deployment, "cwasm")
}

fn in_the_cache(deployment: &Deployment, ending: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(deployment.path("cache")).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    paths
        .filter(|path| path.extension().is_some_and(|it| it == ending))
        .collect()
}

#[tokio::test]
async fn a_component_is_compiled_once_for_all_starts_and_a_damaged_one_anew() {
    let router = deployment("").start().await;
    let compiled = kept(&router.deployment);
    let [file] = &compiled[..] else {
        panic!("{compiled:?}")
    };
    let written = fs::metadata(file).unwrap();
    assert_eq!(written.permissions().mode() & 0o777, 0o600);

    let router = router.kill().await.start().await;
    Client::join(&router, "realm1").await;
    assert_eq!(kept(&router.deployment), compiled);
    let inode = |file| std::os::unix::fs::MetadataExt::ino(&fs::metadata(file).unwrap());
    let same = std::os::unix::fs::MetadataExt::ino(&written);
    assert_eq!(inode(file), same, "it is not written again");

    let deployment = router.kill().await;
    let mut octets = fs::read(file).unwrap();
    let middle = octets.len() / 2;
    octets[middle] ^= 1;
    fs::write(file, octets).unwrap();
    let router = deployment.start().await;
    router.log.mention("a compiled component is damaged").await;
    Client::join(&router, "realm1").await;
    assert_eq!(kept(&router.deployment), compiled);
}

#[tokio::test]
async fn what_was_compiled_before_makes_no_other_machine_code() {
    let ticket = Component::method("ticket");
    let router = deployment("").start().await;
    // They have much of the standard library in common.
    router.deployment.component("anonymous", &ticket);
    router.log.generation("realm1", 2).await;
    assert_eq!(in_the_cache(&router.deployment, "functions").len(), 1);

    let alone = deployment("");
    alone.component("anonymous", &ticket);
    let alone = alone.start().await;
    let alone = kept(&alone.deployment);
    // A file's name has the digest of what is in it.
    let names = |files: &[PathBuf]| -> Vec<_> {
        files
            .iter()
            .map(|file| file.file_name().unwrap().to_owned())
            .collect()
    };
    assert_eq!(alone.len(), 1);
    let (with, alone) = (names(&kept(&router.deployment)), names(&alone));
    assert!(with.contains(&alone[0]), "{with:?}, {alone:?}");
}

#[tokio::test]
async fn machine_code_is_not_taken_from_where_others_can_write() {
    let deployment = deployment("");
    let cache = deployment.path("cache");
    fs::create_dir(&cache).unwrap();
    fs::set_permissions(&cache, fs::Permissions::from_mode(0o777)).unwrap();
    let complaint = deployment.start_in_vain().await;
    assert!(complaint.contains("others may write there"), "{complaint}");
    assert!(complaint.contains("chmod 700"), "{complaint}");
}

#[tokio::test]
async fn a_component_that_takes_too_much_to_compile_costs_a_helper_and_nothing_else() {
    let deployment = deployment("");
    deployment.operator("[methods]\ncompile_time = \"3s\"\ncompile_memory = \"256MiB\"\n");
    let router = deployment.start().await;
    let before = router.memory();
    fails(
        &router,
        &bomb(),
        "compile",
        "it takes more to compile than 3 s",
    )
    .await;
    let (now, most) = (router.memory(), before + (128 << 20));
    assert!(now < most, "{now} octets, and there were {before}");
    assert_eq!(kept(&router.deployment).len(), 1);
}

#[tokio::test]
async fn r11_a_file_that_is_larger_than_any_component_is_not_read() {
    let router = deployment("").start().await;
    let before = router.peak_memory();
    let file = fs::File::create(router.deployment.path("huge")).unwrap();
    file.set_len(1 << 30).unwrap();
    let place = router.deployment.path("methods/anonymous.wasm");
    fs::rename(router.deployment.path("huge"), place).unwrap();
    let told = router.log.mention("larger than 64 MiB").await;
    assert_eq!(told.text("stage"), "read");
    assert!(router.peak_memory() < before + (16 << 20));
    Client::join(&router, "realm1").await;
}

/// A component of 25 MB whose functions take a tenth of a second each to compile, on a fast machine.
fn bomb() -> Component {
    // local.get 0, local.get 0, i64.mul, local.set 0: so often.
    let step = [0x20, 0, 0x20, 0, 0x7e, 0x21, 0];
    let mut body = vec![0];
    for _ in 0..30_000 {
        body.extend(step);
    }
    body.extend([0x20, 0, 0x0b]);
    let mut bodies = length(body.len());
    bodies.extend(body);
    let functions = 120;
    let mut module = b"\0asm\x01\0\0\0".to_vec();
    // A type, (i64) -> i64; so many functions of it; their code.
    module.extend([1, 6, 1, 0x60, 1, 0x7e, 1, 0x7e]);
    module.extend([3, functions + 1, functions]);
    module.extend([0; 120]);
    let mut code = vec![functions];
    for _ in 0..functions {
        code.extend(&bodies);
    }
    module.push(10);
    module.extend(length(code.len()));
    module.extend(code);
    // In a component it is section 1.
    let mut component = b"\0asm\x0d\0\x01\0".to_vec();
    component.push(1);
    component.extend(length(module.len()));
    component.extend(module);
    Component::new(component)
}

/// A number as WebAssembly writes lengths.
fn length(mut number: usize) -> Vec<u8> {
    let mut octets = Vec::new();
    loop {
        let low = u8::try_from(number & 0x7f).unwrap();
        number >>= 7;
        if number == 0 {
            octets.push(low);
            return octets;
        }
        octets.push(low | 0x80);
    }
}
