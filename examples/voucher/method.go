// A login method: takes vouchers, which an office writes.
//
// A voucher is AUTHID.UNTIL.TAG: until when it is good, in seconds since 1970, and the HMAC-SHA-256 of
// `AUTHID.UNTIL` in hex, under the secret of the credential `wampcra` of the office. The router makes
// the HMAC, so this method never has the secret.
package main

import (
	"encoding/hex"
	"strconv"
	"strings"

	cs "voucher/countersign"
	credentials "voucher/countersign/imports/countersign_auth_credentials"
	wit "voucher/countersign/wit/types"
)

type voucher struct{}

// What a realm's file may say under `settings`.
type settings struct {
	Office string `json:"office"`
	Role   string `json:"role"`
}

func read(text string) (settings, error) {
	s := settings{Office: "office", Role: "guest"}
	return s, cs.ReadSettings(text, &s)
}

func (voucher) Describe() cs.Manifest {
	return cs.Manifest{
		Name:            "voucher",
		Version:         "0.1.0",
		Summary:         "takes vouchers, which an office writes",
		CredentialKinds: []string{"wampcra"},
		Extra:           `{"clear-secret": true}`,
	}
}

func (voucher) Check(text string) error {
	_, err := read(text)
	return err
}

func (voucher) Begin(attempt cs.Attempt) (cs.Verdict, error) {
	return cs.Ask(map[string]string{"prompt": "Your voucher?"}, nil)
}

func (voucher) Resume(attempt cs.Attempt, answer cs.Answer) (cs.Verdict, error) {
	s, err := read(attempt.Settings)
	if err != nil {
		return cs.Verdict{}, err
	}
	// An authid may have dots in it, so the last two are what counts.
	text, tag, ok := cutLast(answer.Signature)
	authid, until, ok2 := cutLast(text)
	octets, err := hex.DecodeString(tag)
	if !ok || !ok2 || err != nil {
		return cs.Deny("this is no voucher"), nil
	}
	office := credentials.Find("wampcra", s.Office)
	defer office.Drop()
	if !office.VerifyHmac(credentials.Hash_Sha256, []uint8(text), octets) {
		return cs.Deny("the office has not written this voucher"), nil
	}
	seconds, err := strconv.ParseUint(until, 10, 63)
	if err != nil || seconds > 1<<40 {
		return cs.Deny("this voucher has no end"), nil
	}
	ends := seconds * 1000
	if attempt.Now >= ends {
		return cs.Deny("this voucher is good no more"), nil
	}
	if attempt.Authid.SomeOr(authid) != authid {
		return cs.Deny("this voucher is for somebody else"), nil
	}
	return cs.AcceptAs(cs.Identity{
		Authid:    authid,
		Authrole:  s.Role,
		Authextra: "{}",
		// The session ends with it.
		ExpiresAt: wit.Some(ends),
	}), nil
}

func cutLast(text string) (before, after string, ok bool) {
	at := strings.LastIndexByte(text, '.')
	if at < 0 {
		return "", "", false
	}
	return text[:at], text[at+1:], true
}

func init() { cs.Export(voucher{}) }

func main() {}
