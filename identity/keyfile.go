package identity

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"filippo.io/age"
	"filippo.io/age/armor"
)

// MaxKeyFile bounds a key file.
const MaxKeyFile = 64 << 10

// EncryptKey returns a key file's text: secret encrypted by age, armored. It is
// sealed to a passphrase or to an age recipient, whichever is given; exactly
// one must be.
func EncryptKey(secret, passphrase, recipient string) ([]byte, error) {
	to, err := keyRecipient(passphrase, recipient)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	text := armor.NewWriter(&out)
	w, err := age.Encrypt(text, to)
	if err != nil {
		return nil, fmt.Errorf("encrypting the key: %w", err)
	}
	if _, err := io.WriteString(w, secret); err != nil {
		return nil, fmt.Errorf("encrypting the key: %w", err)
	}
	if err := errors.Join(w.Close(), text.Close()); err != nil {
		return nil, fmt.Errorf("encrypting the key: %w", err)
	}
	return append(out.Bytes(), '\n'), nil
}

func keyRecipient(passphrase, recipient string) (age.Recipient, error) {
	switch {
	case (passphrase == "") == (recipient == ""):
		return nil, errors.New("encrypting the key: give a passphrase or an age recipient, one of the two")
	case recipient != "":
		all, err := age.ParseRecipients(bytes.NewReader([]byte(recipient)))
		if err != nil || len(all) != 1 {
			return nil, errors.New("encrypting the key: one age recipient is needed")
		}
		return all[0], nil
	}
	return age.NewScryptRecipient(passphrase)
}

// DecryptKey opens what EncryptKey made, with the passphrase or the age
// identities (the text of an age key file), whichever is given.
func DecryptKey(file []byte, passphrase, identities string) (string, error) {
	if len(file) > MaxKeyFile {
		return "", fmt.Errorf("key file: %d bytes are more than %d", len(file), MaxKeyFile)
	}
	var ids []age.Identity
	if passphrase != "" {
		id, err := age.NewScryptIdentity(passphrase)
		if err != nil {
			return "", errors.New("key file: the passphrase cannot be used")
		}
		ids = append(ids, id)
	}
	if identities != "" {
		more, err := age.ParseIdentities(bytes.NewReader([]byte(identities)))
		if err != nil {
			return "", errors.New("key file: the age identity cannot be read")
		}
		ids = append(ids, more...)
	}
	if len(ids) == 0 {
		return "", errors.New("key file: give its passphrase or an age identity")
	}
	r, err := age.Decrypt(armor.NewReader(bytes.NewReader(file)), ids...)
	if err != nil {
		return "", errors.New("key file: it does not open: wrong passphrase or identity, or a damaged file")
	}
	secret, err := io.ReadAll(io.LimitReader(r, MaxKeyFile))
	if err != nil {
		return "", errors.New("key file: it is damaged: take it from its backup")
	}
	return string(secret), nil
}
