use std::{
    collections::BTreeMap,
    fmt, fs,
    path::{Path, PathBuf},
    sync::LazyLock,
};

use parking_lot::Mutex;
use sha2::{Digest, Sha256};

use crate::Setup;

/// The octets of a component's file, or of something that pretends to be one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Component(Vec<u8>);

/// The components that the tests work with.
#[derive(Debug)]
pub struct Components {
    /// The methods of the demo, by name.
    pub methods: Vec<(&'static str, Component)>,
    /// Alice's public key, which the demo's `cryptosign` knows.
    pub alices_key: String,
}

/// Builds the methods when they are asked for first.
pub fn components() -> &'static Components {
    static COMPONENTS: LazyLock<Setup<Components>> = LazyLock::new(|| {
        let read = |(name, file): (_, PathBuf)| (name, Component::read(&file));
        Setup::of(xtask::methods().and_then(|methods| {
            let methods = methods.into_iter().map(read).collect();
            Ok(Components {
                methods,
                alices_key: xtask::alices_key()?,
            })
        }))
    });
    COMPONENTS.get()
}

/// A revision of the guest that says which it is: `revision-NUMBER`, in four digits.
pub fn revision(number: impl fmt::Display) -> Component {
    Component::guest("revision").with(b"revision-0000", format!("revision-{number:04}").as_bytes())
}

impl Component {
    fn read(file: &Path) -> Self {
        Self(fs::read(file).expect("a component that was just built"))
    }

    pub fn new(octets: impl Into<Vec<u8>>) -> Self {
        Self(octets.into())
    }

    /// One of the methods in `plugins`.
    pub fn method(name: &str) -> Self {
        let mut of_the_demo = components().methods.iter();
        match of_the_demo.find(|(method, _)| *method == name) {
            Some((_, component)) => component.clone(),
            None => Self::built(&format!("countersign-{name}")),
        }
    }

    /// One of `tests/guests`.
    pub fn guest(name: &str) -> Self {
        Self::built(&format!("guest-{name}"))
    }

    /// One of `examples`.
    pub fn example(name: &str) -> Self {
        Self::built(name)
    }

    /// Builds a package, once for each program of tests.
    fn built(package: &str) -> Self {
        static BUILT: Mutex<BTreeMap<String, Component>> = Mutex::new(BTreeMap::new());
        let mut built = BUILT.lock();
        let component = built.entry(package.to_owned()).or_insert_with(|| {
            let file = xtask::component(package).expect("the components build");
            Self::read(&file)
        });
        component.clone()
    }

    /// What names it, in hex.
    pub fn digest(&self) -> String {
        hex::encode(Sha256::digest(&self.0))
    }

    pub fn octets(&self) -> &[u8] {
        &self.0
    }

    /// The same component, with other octets in one place of its file.
    pub fn with(&self, old: &[u8], new: &[u8]) -> Self {
        assert_eq!(
            old.len(),
            new.len(),
            "a component's offsets must stay as they are"
        );
        let mut octets = self.0.clone();
        let at = octets
            .windows(old.len())
            .position(|window| window == old)
            .expect("the place");
        octets.splice(at..at + old.len(), new.iter().copied());
        Self(octets)
    }

    /// The same in every place where the old ones are.
    pub fn with_all(&self, old: &[u8], new: &[u8]) -> Self {
        let mut changed = self.with(old, new);
        while changed.octets().windows(old.len()).any(|it| it == old) {
            changed = changed.with(old, new);
        }
        changed
    }

    /// The same component with a remark: a custom section, which changes the file and not what it
    /// does.
    pub fn remarked(&self, remark: &str) -> Self {
        let length = u8::try_from(remark.len() + 1).expect("a short remark");
        assert!(length < 0x80, "a short remark");
        let mut octets = self.0.clone();
        // Section 0, its length, the length of its name, its name, and nothing in it.
        octets.extend([0, length, length - 1]);
        octets.extend(remark.as_bytes());
        Self(octets)
    }

    /// The same component with another module in it, which is instantiated after all others.
    pub fn with_module(&self, module: &[u8]) -> Self {
        let modules = u8::try_from(self.modules()).expect("a component of ours has few");
        assert!(modules < 0x80, "its number is one octet");
        let mut octets = self.0.clone();
        octets.push(1);
        octets.extend(leb128(module.len()));
        octets.extend(module);
        // One instance: of this module, with no arguments.
        octets.extend([2, 4, 1, 0, modules, 0]);
        Self(octets)
    }

    /// How many modules it has itself.
    fn modules(&self) -> usize {
        let (mut at, mut modules) = (8, 0);
        while let Some(section) = self.0.get(at) {
            modules += usize::from(*section == 1);
            let (mut length, mut shift) = (0, 0);
            loop {
                at += 1;
                length |= usize::from(self.0[at] & 0x7f) << shift;
                shift += 7;
                if self.0[at] & 0x80 == 0 {
                    break;
                }
            }
            at += 1 + length;
        }
        modules
    }
}

fn leb128(mut number: usize) -> Vec<u8> {
    let mut octets = Vec::new();
    loop {
        let low = u8::try_from(number & 0x7f).expect("seven bits");
        number >>= 7;
        if number == 0 {
            octets.push(low);
            return octets;
        }
        octets.push(low | 0x80);
    }
}
