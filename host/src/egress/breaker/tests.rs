use super::*;
use crate::breaker::MOST_FAILURES;

#[test]
fn realms_and_origins_do_not_share_one() {
    let breakers = Arc::new(Breakers::default());
    let origin = |text: &str| Origin::of(&text.parse().unwrap()).unwrap();
    let (acme, other): (Arc<str>, Arc<str>) = ("acme".into(), "other".into());
    let (here, there) = (
        origin("https://here.example"),
        origin("https://there.example"),
    );
    for _ in 0..MOST_FAILURES {
        let passage = breakers.admit(&acme, &here).unwrap();
        passage.settle(Health::Ill, || "it is a test".into());
    }
    assert!(breakers.admit(&acme, &here).is_err());
    assert!(breakers.admit(&acme, &there).is_ok());
    assert!(breakers.admit(&other, &here).is_ok());
    assert_eq!(
        breakers.by_key.lock().len(),
        1,
        "nothing is kept of the others"
    );
}
