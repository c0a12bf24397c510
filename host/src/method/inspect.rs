use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use super::{
    Capability, Digest, Grant, Limits, LoadError, Manifest, Reach, Revision, Runtime, Source,
    Stage, Trail, call,
    guest::{Guest, Label},
    shape::Shape,
};
use crate::{credential::Keyring, login::StepName};

/// What there is to know of a component before a realm uses it.
#[derive(Clone, Debug)]
pub struct Inspection {
    pub digest: Digest,
    /// Octets.
    pub size: usize,
    pub needs: Vec<Need>,
    pub manifest: Manifest,
    /// From its octets to what can be run: by compiling it, or by loading what was compiled earlier.
    pub compiling: Duration,
    /// A fresh instance with nothing asked of it: the median of many.
    pub instance: Duration,
    /// Octets of memories and tables that an instance begins with.
    pub memory: usize,
}

/// An import. What provides it: none where the interface only holds types.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Need {
    pub import: String,
    pub capability: Option<Capability>,
}

/// Instances that are made, to tell what one costs.
const INSTANCES: usize = 101;

impl Inspection {
    /// Compiles the component, granting it all that there is, and looks at it.
    pub async fn of(
        runtime: &Arc<Runtime>,
        keyring: &Keyring,
        source: Source,
        limits: &Limits,
    ) -> Result<Self, LoadError> {
        let (digest, size) = (source.digest(), source.octets().len());
        let grant: Grant = Capability::ALL.into_iter().collect();
        let mut trail = Trail::default();
        let loading = Revision::load_on(&mut trail, runtime, keyring, source, grant, limits);
        let revision = loading.await?;
        let compiled = trail.passed().iter().find(|it| it.stage == Stage::Compile);
        let compiling = compiled.map_or(Duration::ZERO, |it| it.took);
        let component = revision.linked.component();
        let Shape { imports, .. } = Shape::of(component, runtime.engine());
        let need = |import: String| Need {
            capability: Grant::capability_of(&import),
            import,
        };
        let needs = imports.into_iter().map(need).collect();
        let label = Arc::new(Label {
            realm: "".into(),
            step: StepName::new("inspect"),
            revision: Arc::clone(&revision.name),
        });
        let mut times = Vec::with_capacity(INSTANCES);
        let mut memory = 0;
        for _ in 0..INSTANCES {
            let guest = Guest::new(
                &label,
                keyring,
                &Arc::default(),
                &Arc::default(),
                Reach::default(),
                limits,
            );
            let since = Instant::now();
            memory = call::within(runtime, limits, async {
                let linked = &revision.linked;
                let (store, _instance) = call::instance(runtime, linked, guest, limits).await?;
                Ok(store.data().memory.used())
            })
            .await
            .map_err(LoadError::Describe)?;
            times.push(since.elapsed());
        }
        times.sort_unstable();
        Ok(Self {
            digest,
            size,
            needs,
            manifest: revision.manifest,
            compiling,
            instance: times.get(INSTANCES / 2).copied().unwrap_or_default(),
            memory,
        })
    }
}
