// Verifies a log that speaks C2SP tlog-tiles with golang.org/x/mod/sumdb alone: note for signatures, tlog for hashes and proofs.
// It shares no code with the log. It avoids tlog.TileHashReader, which believes tiles it should not (CVE-2026-56865).
//
// Reads one JSON request on standard input, prints what it verified as JSON, and ends with status 1 at the first thing that does
// not hold.
package main

import (
	"crypto/ed25519"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

type request struct {
	Log         string
	VerifierKey string
	Witnesses   []witness
	Inclusion   []struct{ Entry, Proof string } // base64, a C2SP tlog-proof
	Consistency []struct {
		Size  int64
		Root  string
		Proof []string
	}
}

type witness struct{ Name, VerifierKey string }

type checkpoint struct {
	size int64
	root tlog.Hash
}

func main() {
	var asked request
	if err := json.NewDecoder(os.Stdin).Decode(&asked); err != nil {
		fail(err)
	}
	verified, err := verify(asked)
	if err != nil {
		fail(err)
	}
	if err := json.NewEncoder(os.Stdout).Encode(verified); err != nil {
		fail(err)
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

func verify(asked request) (map[string]int64, error) {
	signed, err := get(asked.Log + "/checkpoint")
	if err != nil {
		return nil, err
	}
	at, cosigned, err := open(signed, asked)
	if err != nil {
		return nil, err
	}
	stored, err := hashes(asked.Log, at.size)
	if err != nil {
		return nil, err
	}
	if root, err := tlog.TreeHash(at.size, reader(stored)); err != nil || root != at.root {
		return nil, fmt.Errorf("the entries hash to %v, signed is %v (%v)", root, at.root, err)
	}
	tiles, err := compareTiles(asked.Log, at.size, stored)
	if err != nil {
		return nil, err
	}
	if err := checkProofs(asked, at); err != nil {
		return nil, err
	}
	return map[string]int64{"entries": at.size, "tiles": tiles, "cosigned": int64(cosigned),
		"inclusion": int64(len(asked.Inclusion)), "consistency": int64(len(asked.Consistency))}, nil
}

// open checks the log's signature and counts the cosignatures that verify.
func open(signed []byte, asked request) (checkpoint, int, error) {
	verifier, err := note.NewVerifier(asked.VerifierKey)
	if err != nil {
		return checkpoint{}, 0, err
	}
	known := []note.Verifier{verifier}
	for _, each := range asked.Witnesses {
		cosigner, err := newCosigner(each)
		if err != nil {
			return checkpoint{}, 0, err
		}
		known = append(known, cosigner)
	}
	opened, err := note.Open(signed, note.VerifierList(known...))
	if err != nil {
		return checkpoint{}, 0, err
	}
	logSigned, cosigned := false, 0
	for _, signature := range opened.Sigs {
		if signature.Name == verifier.Name() && signature.Hash == verifier.KeyHash() {
			logSigned = true
		} else {
			cosigned++
		}
	}
	if !logSigned {
		return checkpoint{}, 0, errors.New("the log did not sign its checkpoint")
	}
	lines := strings.Split(opened.Text, "\n")
	if len(lines) != 4 || lines[0] != verifier.Name() {
		return checkpoint{}, 0, fmt.Errorf("expected a checkpoint of %s, got %q", verifier.Name(), opened.Text)
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil {
		return checkpoint{}, 0, err
	}
	root, err := tlog.ParseHash(lines[2])
	return checkpoint{size, root}, cosigned, err
}

// hashes reads every entry bundle and computes what a log of these entries stores.
func hashes(log string, size int64) ([]tlog.Hash, error) {
	var stored []tlog.Hash
	for first := int64(0); first < size; first += 256 {
		bundle, err := get(log + "/" + path(tlog.Tile{H: 8, L: -1, N: first / 256, W: width(first, size)}))
		if err != nil {
			return nil, err
		}
		for i := first; i < first+int64(width(first, size)); i++ {
			if len(bundle) < 2 || len(bundle) < 2+int(binary.BigEndian.Uint16(bundle)) {
				return nil, fmt.Errorf("entry %d is cut off", i)
			}
			end := 2 + int(binary.BigEndian.Uint16(bundle))
			more, err := tlog.StoredHashes(i, bundle[2:end], reader(stored))
			if err != nil {
				return nil, err
			}
			stored, bundle = append(stored, more...), bundle[end:]
		}
		if len(bundle) != 0 {
			return nil, fmt.Errorf("%d bytes after entry %d", len(bundle), first+255)
		}
	}
	return stored, nil
}

// compareTiles reads every tile of the tree, on every level, and compares it with what the entries give.
func compareTiles(log string, size int64, stored []tlog.Hash) (int64, error) {
	count := int64(0)
	for level, rest := 0, size; rest > 0; level, rest = level+1, rest>>8 {
		for first := int64(0); first < rest; first += 256 {
			tile := tlog.Tile{H: 8, L: level, N: first / 256, W: width(first, rest)}
			served, err := get(log + "/" + path(tile))
			if err != nil {
				return 0, err
			}
			computed, err := tlog.ReadTileData(tile, reader(stored))
			if err != nil || string(computed) != string(served) {
				return 0, fmt.Errorf("%s is not what the entries give (%v)", path(tile), err)
			}
			count++
		}
	}
	return count, nil
}

func checkProofs(asked request, at checkpoint) error {
	for _, each := range asked.Inclusion {
		if err := checkInclusion(each.Entry, each.Proof, asked); err != nil {
			return err
		}
	}
	for _, each := range asked.Consistency {
		root, err := tlog.ParseHash(each.Root)
		if err != nil {
			return err
		}
		proof, err := parseHashes(each.Proof)
		if err != nil {
			return err
		}
		if err := tlog.CheckTree(proof, at.size, at.root, each.Size, root); err != nil {
			return fmt.Errorf("consistency from %d: %w", each.Size, err)
		}
	}
	return nil
}

func checkInclusion(entry, proof string, asked request) error {
	bytes, err := base64.StdEncoding.DecodeString(entry)
	if err != nil {
		return err
	}
	head, signed, _ := strings.Cut(proof, "\n\n")
	lines := strings.Split(head, "\n")
	if len(lines) < 2 || lines[0] != "c2sp.org/tlog-proof@v1" || !strings.HasPrefix(lines[1], "index ") {
		return errors.New("expected a c2sp.org/tlog-proof@v1")
	}
	index, err := strconv.ParseInt(strings.TrimPrefix(lines[1], "index "), 10, 64)
	if err != nil {
		return err
	}
	path, err := parseHashes(lines[2:])
	if err != nil {
		return err
	}
	at, _, err := open([]byte(signed), asked)
	if err != nil {
		return err
	}
	if err := tlog.CheckRecord(path, at.size, at.root, index, tlog.RecordHash(bytes)); err != nil {
		return fmt.Errorf("inclusion of %d: %w", index, err)
	}
	return nil
}

func parseHashes(lines []string) ([]tlog.Hash, error) {
	hashes := []tlog.Hash{}
	for _, line := range lines {
		hash, err := tlog.ParseHash(line)
		if err != nil {
			return nil, err
		}
		hashes = append(hashes, hash)
	}
	return hashes, nil
}

func reader(stored []tlog.Hash) tlog.HashReader {
	return tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		read := make([]tlog.Hash, len(indexes))
		for i, index := range indexes {
			if index >= int64(len(stored)) {
				return nil, fmt.Errorf("hash %d is not computed yet", index)
			}
			read[i] = stored[index]
		}
		return read, nil
	})
}

func width(first, size int64) int {
	if size-first < 256 {
		return int(size - first)
	}
	return 256
}

// path is C2SP's: x/mod puts the tiles' height before the level, and calls entries data.
func path(tile tlog.Tile) string {
	return strings.Replace(strings.Replace(tile.Path(), "tile/8/", "tile/", 1), "/data/", "/entries/", 1)
}

func get(address string) ([]byte, error) {
	response, err := http.Get(address)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: %s", address, response.Status)
	}
	return io.ReadAll(io.LimitReader(response.Body, 1<<25))
}

// cosigner verifies C2SP tlog-cosignature v1, which x/mod does not know.
type cosigner struct {
	name string
	hash uint32
	key  ed25519.PublicKey
}

func newCosigner(of witness) (note.Verifier, error) {
	parts := strings.SplitN(of.VerifierKey, "+", 3)
	if len(parts) != 3 {
		return nil, errors.New("expected a verifier key")
	}
	hash, err := strconv.ParseUint(parts[1], 16, 32)
	if err != nil {
		return nil, err
	}
	key, err := base64.StdEncoding.DecodeString(parts[2])
	if err != nil || len(key) != 33 || key[0] != 4 {
		return nil, errors.New("expected a key of type cosignature/v1")
	}
	return cosigner{parts[0], uint32(hash), key[1:]}, nil
}

func (c cosigner) Name() string    { return c.name }
func (c cosigner) KeyHash() uint32 { return c.hash }
func (c cosigner) Verify(text, signature []byte) bool {
	if len(signature) != 72 {
		return false
	}
	time := binary.BigEndian.Uint64(signature)
	return ed25519.Verify(c.key, []byte(fmt.Sprintf("cosignature/v1\ntime %d\n%s", time, text)), signature[8:])
}
