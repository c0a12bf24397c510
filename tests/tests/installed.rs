//! A router as docs/installing.md has it: `examples/systemd` says where it reads and where it writes.

use std::{
    collections::BTreeSet,
    fs,
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf},
};

use countersign_tests::{Client, Deployment, components};

const ETC: &str = "/etc/countersign";

/// What the service manager makes for the router, which may write there and nowhere else.
const WRITABLE: [(&str, &str); 3] = [
    ("StateDirectory", "/var/lib"),
    ("CacheDirectory", "/var/cache"),
    ("RuntimeDirectory", "/run"),
];

fn example(file: &str) -> String {
    fs::read_to_string(xtask::root().join("examples/systemd").join(file)).unwrap()
}

/// What a directory has in it but for what is under the writable ones.
fn files(directory: &Path, writable: &[PathBuf]) -> BTreeSet<PathBuf> {
    let mut found = BTreeSet::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !writable.contains(&path) {
            found.extend(files(&path, writable));
        }
        found.insert(path);
    }
    found
}

#[tokio::test]
async fn the_service_writes_only_where_its_unit_lets_it() {
    let unit = example("countersign.service");
    let start =
        format!("ExecStart=/usr/local/bin/countersign serve --config {ETC}/countersign.toml\n");
    assert!(unit.contains(&start));
    let deployment = Deployment::demo();
    let writable = WRITABLE.map(|(key, parent)| {
        assert!(
            unit.contains(&format!("{key}=countersign\n{key}Mode=0700\n")),
            "{key}"
        );
        let directory = deployment.path(&format!("{}/countersign", parent.trim_start_matches('/')));
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&directory)
            .unwrap();
        directory
    });
    // The demo's are in another place.
    fs::remove_file(deployment.path("credentials.db")).unwrap();
    let here = deployment.path("");
    let config = example("countersign.toml")
        .replace("127.0.0.1:8080", "127.0.0.1:0")
        .replace("\"/", &format!("\"{}/", here.display()));
    deployment.file("countersign.toml", &config);
    for identity in xtask::alice(&components().alices_key) {
        deployment.enrol(&identity);
    }
    let before = files(&here, &writable);

    let router = deployment.start().await;
    Client::join(&router, "realm1").await;
    let (good, said) = router.deployment.method("list").await;
    assert!(good && said.contains("wampcra"), "{said}");
    assert_eq!(files(&here, &writable), before);
    for directory in writable {
        assert!(
            fs::read_dir(&directory).unwrap().count() > 0,
            "{directory:?}"
        );
    }
}
