use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as BASE64URL};
use countersign::wamp::{Dict, Value};
use p256::ecdsa::{Signature, SigningKey, signature::Signer};
use serde_json::json;
use sha2::{Digest, Sha256};

/// An authenticator with one passkey and the browser around it, in one: they do what they are told,
/// be it right or wrong.
#[derive(Clone, Debug)]
pub struct Passkey {
    key: SigningKey,
    pub id: Vec<u8>,
    pub user_handle: Option<String>,
    /// What the authenticator signs for.
    pub rp: String,
    /// The page that the browser shows.
    pub origin: String,
    /// Whether that is in a frame of another site's.
    pub cross_origin: bool,
    /// See the constants.
    pub flags: u8,
    /// The signature counter.
    pub counter: u32,
}

impl Passkey {
    pub const USER_PRESENT: u8 = 1;
    pub const USER_VERIFIED: u8 = 1 << 2;
    pub const BACKUP_ELIGIBLE: u8 = 1 << 3;
    pub const BACKED_UP: u8 = 1 << 4;
    const ATTESTED: u8 = 1 << 6;

    /// One that is made by the next [`Passkey::create`]. Others have another number.
    pub fn new(number: u8, rp: &str, origin: &str) -> Self {
        assert_ne!(number, 0, "0 is no private key");
        Self {
            key: SigningKey::from_slice(&[number; 32]).expect("a private key"),
            id: vec![number; 24],
            user_handle: None,
            rp: rp.into(),
            origin: origin.into(),
            cross_origin: false,
            flags: Self::USER_PRESENT | Self::USER_VERIFIED,
            counter: 0,
        }
    }

    /// Makes the passkey for whom the options name.
    pub fn create(&mut self, options: &Dict) -> String {
        let user = options
            .value("user")
            .and_then(Value::as_dict)
            .expect("a user");
        self.user_handle = user.text("id").map(str::to_owned);
        let point = self.key.verifying_key().to_sec1_point(false);
        let (x, y) = (point.x().expect("an x"), point.y().expect("a y"));
        // Labels 1 to -3 of a COSE key: EC2, ES256, P-256, x, y.
        let public_key = [
            &[0xa5, 1, 2, 3, 0x26, 0x20, 1, 0x21, 0x58, 32],
            &x[..],
            &[0x22, 0x58, 32],
            &y[..],
        ]
        .concat();
        let id_length = u16::try_from(self.id.len()).expect("a short id");
        let data = [
            &self.data(self.flags | Self::ATTESTED)[..],
            &[0; 16],
            &id_length.to_be_bytes(),
            &self.id,
            &public_key,
        ]
        .concat();
        let length = u8::try_from(data.len()).expect("short data");
        let object = [
            b"\xa3\x63fmt\x64none\x67attStmt\xa0\x68authData\x58".as_slice(),
            &[length],
            &data,
        ]
        .concat();
        self.answer(&json!({
            "clientDataJSON": BASE64URL.encode(self.client_data("webauthn.create", options)),
            "attestationObject": BASE64URL.encode(object),
            "transports": ["internal"],
        }))
    }

    /// Uses it. The counter rises first if it is not 0.
    pub fn get(&mut self, options: &Dict) -> String {
        if self.counter != 0 {
            self.counter += 1;
        }
        let data = self.data(self.flags);
        let client_data = self.client_data("webauthn.get", options);
        let signed = [&data[..], &Sha256::digest(&client_data)].concat();
        let signature: Signature = self.key.sign(&signed);
        self.answer(&json!({
            "clientDataJSON": BASE64URL.encode(client_data),
            "authenticatorData": BASE64URL.encode(data),
            "signature": BASE64URL.encode(signature.to_der()),
            "userHandle": self.user_handle,
        }))
    }

    fn answer(&self, response: &serde_json::Value) -> String {
        let id = BASE64URL.encode(&self.id);
        let answer = json!({
            "id": id,
            "rawId": id,
            "type": "public-key",
            "authenticatorAttachment": "platform",
            "clientExtensionResults": {},
            "response": response,
        });
        answer.to_string()
    }

    fn data(&self, flags: u8) -> Vec<u8> {
        let rp: [u8; 32] = Sha256::digest(&self.rp).into();
        [&rp[..], &[flags], &self.counter.to_be_bytes()].concat()
    }

    fn client_data(&self, ceremony: &str, options: &Dict) -> Vec<u8> {
        let data = json!({
            "type": ceremony,
            "challenge": options.text("challenge"),
            "origin": self.origin,
            "crossOrigin": self.cross_origin,
        });
        data.to_string().into()
    }
}
