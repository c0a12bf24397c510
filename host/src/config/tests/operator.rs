use std::time::Duration;

use super::*;

#[test]
#[expect(clippy::too_many_lines, reason = "everything")]
fn an_operator_that_says_everything() {
    let operator = operator(FULL_OPERATOR).unwrap();
    let listeners: Vec<_> = operator
        .listeners
        .iter()
        .map(|l| format!("{}{}", l.address, l.path))
        .collect();
    assert_eq!(
        listeners,
        ["127.0.0.1:8080/wamp", "[::1]:0/ws", "unix:etc/wamp.sock/ws"]
    );
    let [plain, full, unix] = &operator.listeners[..] else {
        panic!("three listeners");
    };
    let both = [Protocol::WebSocket, Protocol::RawSocket];
    assert_eq!(plain.protocols, both.into());
    assert_eq!(
        (&plain.origins, &plain.tls, &plain.proxy),
        (&None, &None, &None)
    );
    assert!(unix.any_path && !plain.any_path && !full.any_path);
    assert_eq!(full.protocols, [Protocol::RawSocket].into());
    let tls = Tls {
        certificate: "etc/tls/router.pem".into(),
        key: "/run/router.key".into(),
        client_roots: Some("etc/tls/staff.pem".into()),
        client_certificate: ClientCertificate::Required,
    };
    assert_eq!(full.tls, Some(tls));
    let origins: Vec<_> = full
        .origins
        .iter()
        .flatten()
        .map(WebOrigin::as_str)
        .collect();
    assert_eq!(
        origins,
        ["http://localhost:3000", "https://app.example.com"]
    );
    let proxy = full.proxy.as_ref().unwrap();
    assert_eq!(proxy.header, ProxyHeader::ProxyProtocol);
    for (address, believed) in [
        ("10.1.2.3", true),
        ("::ffff:10.1.2.3", true),
        ("192.0.2.7", true),
        ("fd00::1", true),
        ("192.0.2.8", false),
        ("127.0.0.1", false),
    ] {
        assert_eq!(proxy.is_at(address.parse().unwrap()), believed, "{address}");
    }
    assert_eq!(unix.mode.bits(), 0o660);
    assert_eq!(plain.mode.bits(), 0o600, "the router's own user");
    assert_eq!(operator.realms, Path::new("etc/tenants"));
    assert_eq!(operator.methods, Path::new("/usr/lib/countersign"));
    let LoadingConfig {
        signers,
        cache,
        revisions,
        compile_time,
        compile_memory,
        conform,
    } = &operator.loading;
    assert_eq!(signers.len(), 1);
    assert_eq!(
        (&**cache, &**revisions),
        (Path::new("etc/compiled"), Path::new("etc/kept"))
    );
    assert_eq!(*compile_time, Duration::from_secs(30));
    assert_eq!(*compile_memory, Octets::mib(512));
    assert_eq!(*conform, Conform::Required);
    assert_eq!(operator.admin.socket, Path::new("/run/countersign.sock"));
    assert_eq!(operator.credentials, Path::new("etc/../secret.db"));
    let login = LoginLimits {
        message_size: Octets::kib(32),
        nesting: 32,
        hello: Duration::from_secs(1),
        round: Duration::from_secs(2),
        total: Duration::from_mins(3),
        rounds: 4,
        waiting: 100,
    };
    assert_eq!(operator.login, login);
    let session = SessionLimits {
        message_size: Octets::mib(1),
        queue: Octets::mib(2),
        ping: Duration::from_mins(1),
    };
    assert_eq!(operator.session, session);
    assert_eq!(operator.passwords.threads().get(), 3);
    assert_eq!(operator.passwords.queue, 16);
    assert_eq!(operator.passwords.wait, Duration::from_secs(3));
    assert_eq!(operator.passwords.memory, Some(Octets::mib(256)));
    let ceilings = Ceilings {
        call: CallLimits {
            time: Duration::from_secs(1),
            passwords: 2,
            ..CallLimits::MOST
        },
        realm: RealmLimits {
            logins: 5000,
            calls: 32,
            ..RealmLimits::default()
        },
        file: "etc/countersign.toml".into(),
    };
    assert_eq!(operator.ceilings, ceilings);
    let metrics = MetricsConfig {
        address: Some("10.1.2.3:9464".parse().unwrap()),
    };
    assert_eq!(operator.metrics, metrics);
    let audit = AuditConfig {
        file: "etc/audit.jsonl".into(),
        unrecorded: Unrecorded::Allow,
        wait: Duration::from_secs(2),
        sync: AuditSync::Always,
    };
    assert_eq!(operator.audit, Some(audit));
    let EgressConfig {
        origins,
        networks,
        ca_file,
        secrets,
        time,
        response_size,
        parallel,
    } = operator.egress;
    let shown = |list: Vec<String>| list.join(" ");
    assert_eq!(
        shown(origins.unwrap().iter().map(ToString::to_string).collect()),
        "http://127.0.0.1:9000 https://auth.example.com"
    );
    assert_eq!(
        shown(networks.iter().map(ToString::to_string).collect()),
        "10.1.0.0/16 127.0.0.1/32"
    );
    assert_eq!(ca_file.as_deref(), Some(Path::new("etc/ca.pem")));
    assert_eq!(secrets, Path::new("etc/keys"));
    assert_eq!((time, parallel), (Duration::from_secs(2), 4));
    assert_eq!(response_size, Octets::kib(8));
}

#[test]
fn an_operator_needs_only_a_listener() {
    let operator = Operator::parse(
        "[[listener]]\naddress = '127.0.0.1:80'",
        Path::new("countersign.toml"),
    )
    .unwrap();
    assert_eq!(operator.realms, Path::new("realms"));
    assert_eq!(operator.methods, Path::new("methods"));
    assert_eq!(operator.loading.revisions, Path::new("revisions"));
    assert_eq!(operator.metrics, MetricsConfig::default());
    assert_eq!(operator.audit, None);
    assert_eq!(operator.credentials, Path::new("credentials.db"));
    assert_eq!(operator.login, LoginLimits::default());
    assert_eq!(operator.session, SessionLimits::default());
    assert_eq!(operator.egress, EgressConfig::new(Path::new("")));
    assert!(operator.egress.networks.is_empty());
    assert_eq!(operator.ceilings, Ceilings::default());
    assert!(operator.passwords.threads().get() >= 1);
}
