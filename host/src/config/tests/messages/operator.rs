//! The same about the operator's file.

use crate::config::tests::operator;

/// Checks the message for an operator's file, whose first line is a listener.
fn operator_says(text: &str, expected: &str) {
    let listener = "listener = [{ address = '127.0.0.1:8080' }]";
    let error = operator(&format!("{listener}\n{text}"))
        .expect_err(text)
        .to_string();
    assert_eq!(
        error,
        format!("etc/countersign.toml:{expected}"),
        "for:\n{text}"
    );
}

#[test]
fn operators() {
    operator_says(
        "[sesion]",
        r#"2:2: unknown key "sesion" at the top of the file; did you mean "session"?"#,
    );
    operator_says(
        "realms.directory = ''",
        r#"2:20: "directory" is ""; it must be a path, such as "realms" or "/var/lib/countersign/realms""#,
    );
    operator_says(
        "login.message_size = 16384",
        r#"2:22: "message_size" is the number 16384; it needs a unit: did you mean "16KiB"?"#,
    );
    operator_says(
        "login.nesting = 1000",
        r#"2:17: "nesting" is the number 1000; choose from 6 to 64"#,
    );
    operator_says(
        "login.rounds = -1",
        r#"2:16: "rounds" is the number -1; it must be a whole number, not negative and below 2^32"#,
    );
    operator_says(
        "login.total = '2h'",
        r#"2:15: "total" is "2h"; choose from "10ms" to "1h""#,
    );
    operator_says(
        "egress.networks = ['10.1.2.3/16']",
        r#"2:20: an item of "networks" is "10.1.2.3/16"; it has digits behind its first 16 bits: did you mean "10.1.0.0/16"?"#,
    );
    operator_says(
        "passwords.parallel = 0",
        r#"2:22: "parallel" is the number 0; choose from 1 to 1024"#,
    );
    operator_says(
        "metrics.address = '[::]:9464'",
        r#"2:19: [::]:9464 is not this machine's own (loopback), and whoever reaches it may read the names of all realms and how many log in to them, without a password; write "127.0.0.1:9464", or add remote = "allow" if nobody else reaches it"#,
    );
    operator_says(
        "[session]\nmessage_size = '32MiB'",
        r#"2:1: "queue" (16MiB) is less than "message_size" (32MiB), so a large message would end its receiver's session; write queue = "32MiB" or more"#,
    );
}

#[test]
fn listeners() {
    for (text, expected) in [
        (
            "",
            r#"1:1: there is no [[listener]], so nobody can connect; add one, with address = "127.0.0.1:8080""#,
        ),
        (
            "[listener]",
            r#"1:1: "listener" is a table; write it as [[listener]], with two brackets"#,
        ),
        (
            "[[listener]]\naddress = 'localhost:80'",
            r#"2:11: "address" is "localhost:80"; a name will not do: did you mean "127.0.0.1:80"?"#,
        ),
        (
            "[[listener]]\naddress = ':80'",
            r#"2:11: "address" is ":80"; it must be an IP address and a port, such as "127.0.0.1:8080", or a path, such as "unix:wamp.sock""#,
        ),
        (
            "[[listener]]\naddress = '0.0.0.0:80'\npath = 'ws'",
            r#"3:8: "path" is "ws"; it must be a URL's path, such as "/ws""#,
        ),
        (
            "[[listener]]\naddress = '0.0.0.0:80'\n[[listener]]\naddress = '0.0.0.0:80'",
            "4:11: another [[listener]] has 0.0.0.0:80 already; choose another",
        ),
        (
            "[[listener]]\naddress = 'unix:'",
            r#"2:11: "address" is "unix:"; it must be an IP address and a port, such as "127.0.0.1:8080", or a path, such as "unix:wamp.sock""#,
        ),
        (
            "[[listener]]\naddress = 'unix:x'\nmode = '999'",
            r#"3:8: "mode" is "999"; it must be permissions in octal as a text, such as "660""#,
        ),
        (
            "[[listener]]\naddress = '0.0.0.0:80'\nmode = '660'",
            r#"2:11: "mode" is for a Unix socket, and the address is none; remove it"#,
        ),
        (
            "[[listener]]\naddress = 'unix:x'\n[listener.proxy]\nfrom = ['10.0.0.1']\nheader = 'forwarded'",
            "2:11: [listener.proxy] goes by addresses, and a Unix socket's clients have none; remove it",
        ),
        (
            "[[listener]]\naddress = '0.0.0.0:80'\nprotocols = ['websockets']",
            r#"3:14: an item of "protocols" is "websockets"; did you mean "websocket"?"#,
        ),
        (
            "[[listener]]\naddress = '0.0.0.0:80'\norigins = ['https://App.example.com/']",
            r#"3:12: an item of "origins" is "https://App.example.com/"; it must be a site as browsers name it, such as "https://app.example.com", without a path"#,
        ),
        (
            "[[listener]]\naddress = '0.0.0.0:80'\n[listener.tls]\ncertificate = 'c'",
            r#"3:1: the key "key" is missing in [listener.tls]; it must be a path, such as "realms" or "/var/lib/countersign/realms""#,
        ),
        (
            "[[listener]]\naddress = '0.0.0.0:80'\n[listener.tls]\ncertificate = 'c'\nkey = 'k'\nclient_certificate = 'required'",
            r#"6:22: "client_certificate" says nothing without "client_roots", the file of the authorities that are believed; add it"#,
        ),
        (
            "[[listener]]\naddress = '0.0.0.0:80'\n[listener.proxy]\nfrom = ['10.0.0.0/33']\nheader = 'forwarded'",
            r#"4:9: an item of "from" is "10.0.0.0/33"; it must be a network, such as "10.1.0.0/16" or "fd00::/8", or an address, such as "127.0.0.1""#,
        ),
    ] {
        let error = operator(text).expect_err(text).to_string();
        assert_eq!(
            error,
            format!("etc/countersign.toml:{expected}"),
            "for:\n{text}"
        );
    }
}
