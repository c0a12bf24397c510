//! What a method says of itself and of its settings, and whether it is a function of what it is given.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::{Check, Suite};
use crate::{
    config::StepName,
    method::{LoadError, World},
    trial::{
        play::Said,
        scene::{Scene, TrialError},
        script::Script,
    },
};

/// Another time and other randomness, by clocks and generators that a method should not look at.
const ELSEWHERE: World = World {
    now: Duration::ZERO,
    clock: Duration::from_hours(24 * 365),
    seed: 0x5a,
};

impl Suite<'_> {
    pub(super) async fn describes_itself(&mut self) {
        let manifest = self.candidate.revision.manifest.clone();
        for world in [World::default(), ELSEWHERE] {
            self.look(Check::Describe);
            match self.candidate.describe(world).await {
                Ok(again) if again == manifest => {}
                Ok(again) => self.fail(
                    Check::Describe,
                    format!("it said first {manifest:?}, and then {again:?}"),
                ),
                Err(fault) => self.fail(Check::Describe, format!("asked once more: {fault}")),
            }
        }
        if StepName::new(&manifest.name).is_none() {
            self.warn(
                Check::Describe,
                format!("its name {:?} cannot be a step's", manifest.name),
            );
        }
        if manifest.version.is_empty() || manifest.summary.is_empty() {
            self.warn(Check::Describe, "it has no version, or no summary");
        }
    }

    pub(super) async fn checks_settings(&mut self) {
        for settings in garbage(self.table.settings.as_object()) {
            self.look(Check::Settings);
            if let Err(LoadError::Check(fault)) = self.candidate.check(&settings).await {
                let shown: String = settings.chars().take(80).collect();
                self.fail(Check::Settings, format!("given {shown}: {fault}"));
            }
        }
        let unknown = with(
            self.table.settings.as_object(),
            "no-method-has-this",
            json!(true),
        );
        if self.candidate.check(&unknown).await.is_ok() {
            self.warn(
                Check::Settings,
                "it accepts a setting that it cannot know: a typing error would not be noticed",
            );
        }
    }

    /// Begins each attempt twice, with other clocks and other randomness of WASI.
    pub(super) async fn decides_the_same(&mut self) -> Result<(), TrialError> {
        let scene = self.scene(self.table).await?;
        let mut scripts: Vec<Script> = self.table.attempts.iter().flat_map(Script::of).collect();
        scripts.push(Script::plain("alice"));
        for script in scripts {
            self.look(Check::Determinism);
            let [first, second] = [
                begin_in(&scene, &script, None).await,
                begin_in(&scene, &script, Some(ELSEWHERE)).await,
            ];
            // What was good once, such as a code, is not good twice.
            let was_used_up = matches!((&first, &second), (Said::Accept(_), Said::Deny(_)));
            if first != second && !was_used_up {
                self.fail(
                    Check::Determinism,
                    format!("it said first {first}, and then {second}"),
                );
            }
        }
        Ok(())
    }
}

async fn begin_in(scene: &Scene, script: &Script, other: Option<World>) -> Said {
    let ours = scene.meter.world();
    if let Some(other) = other {
        scene.meter.set(World {
            now: ours.now,
            ..other
        });
    }
    let turn = scene.ask(script, 1, None).await;
    scene.meter.set(ours);
    turn.said
}

/// Texts of JSON objects that hardly any method can work with.
fn garbage(good: &Map<String, Value>) -> Vec<String> {
    let mut all = vec!["{}".to_owned(), r#"{"":null}"#.to_owned()];
    let deep = (0..12).fold(json!(1), |inside, _| json!([inside]));
    let values = [
        Value::Null,
        json!(true),
        json!(-1),
        json!(1e300),
        json!(""),
        json!("\u{0}\u{202e}\u{1f600}"),
        json!("x".repeat(16 << 10)),
        json!([]),
        json!({}),
        deep,
    ];
    let keys = good.keys().map(String::as_str).chain(["role", "settings"]);
    for key in keys {
        all.extend(values.iter().map(|value| with(good, key, value.clone())));
        let mut without = good.clone();
        without.remove(key);
        all.push(Value::Object(without).to_string());
    }
    all
}

fn with(good: &Map<String, Value>, key: &str, value: Value) -> String {
    let mut changed = good.clone();
    changed.insert(key.to_owned(), value);
    Value::Object(changed).to_string()
}
