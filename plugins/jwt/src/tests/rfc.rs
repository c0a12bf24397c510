//! The examples of RFC 7515, appendix A, and of RFC 8037, appendix A.

use serde_json::{Value, json};

use crate::{key_set::KeySet, token::Token};

/// The claims of RFC 7515, encoded and not.
const ENCODED_CLAIMS: &str = concat!(
    "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFt",
    "cGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
);
const CLAIMS: &str =
    "{\"iss\":\"joe\",\r\n \"exp\":1300819380,\r\n \"http://example.com/is_root\":true}";

/// RFC 7515, A.2.
pub fn rs256_key() -> Value {
    json!({
        "kty": "RSA",
        "n": concat!(
            "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddx",
            "HmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMs",
            "D1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSH",
            "SXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdV",
            "MTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8",
            "NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ"
        ),
        "e": "AQAB",
    })
}

fn verified(key: &Value, header: &str, claims: &str, signature: &str) -> Result<String, String> {
    let keys = KeySet::parse(&json!({ "keys": [key] }).to_string())?;
    let token = format!("{header}.{claims}.{signature}");
    let verified = Token::parse(&token)?.verify(&keys)?;
    Ok(String::from_utf8(verified.payload().to_vec()).unwrap())
}

#[test]
fn rfc_7515_a_1_a_shared_secret_is_not_accepted() {
    let key = json!({
        "kty": "oct",
        "k": "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow",
    });
    let header = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9";
    let signature = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    let reason = verified(&key, header, ENCODED_CLAIMS, signature).unwrap_err();
    assert!(
        reason.starts_with("the token's algorithm is \"HS256\""),
        "{reason}"
    );
}

#[test]
fn rfc_7515_a_2_rs256() {
    let signature = concat!(
        "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7",
        "AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4",
        "BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K",
        "0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqv",
        "hJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrB",
        "p0igcN_IoypGlUPQGe77Rw"
    );
    let header = "eyJhbGciOiJSUzI1NiJ9";
    let claims = verified(&rs256_key(), header, ENCODED_CLAIMS, signature);
    assert_eq!(claims.unwrap(), CLAIMS);

    let mut pss = rs256_key();
    pss["alg"] = json!("PS256");
    let reason = verified(&pss, header, ENCODED_CLAIMS, signature).unwrap_err();
    assert_eq!(reason, "the token says RS256, and its key is for PS256");
}

#[test]
fn rfc_7515_a_3_es256() {
    let key = json!({
        "kty": "EC", "crv": "P-256",
        "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
        "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
    });
    let signature = concat!(
        "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSA",
        "pmWQxfKTUJqPP3-Kg6NU1Q"
    );
    let header = "eyJhbGciOiJFUzI1NiJ9";
    let claims = verified(&key, header, ENCODED_CLAIMS, signature);
    assert_eq!(claims.unwrap(), CLAIMS);

    // A private key has no business here.
    let mut private = key;
    private["d"] = json!("jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI");
    assert!(verified(&private, header, ENCODED_CLAIMS, signature).is_err());
}

#[test]
fn rfc_7515_a_5_no_signature_is_not_accepted() {
    for key in [rs256_key(), json!({ "kty": "oct", "k": "" })] {
        let reason = verified(&key, "eyJhbGciOiJub25lIn0", ENCODED_CLAIMS, "").unwrap_err();
        assert!(
            reason.starts_with("the token's algorithm is \"none\""),
            "{reason}"
        );
    }
}

#[test]
fn rfc_8037_a_4_and_a_5_ed25519() {
    let key = json!({
        "kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
    });
    let signature = concat!(
        "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5B",
        "hVsPt9g7sVvpAr_MuM0KAg"
    );
    let payload = "RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc";
    let read = verified(&key, "eyJhbGciOiJFZERTQSJ9", payload, signature);
    assert_eq!(read.unwrap(), "Example of Ed25519 signing");
}
