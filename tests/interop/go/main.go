// Command interop checks a Chancery log and the proofs of an evidence bundle with the Go checksum
// database's own packages: golang.org/x/mod/sumdb/note and golang.org/x/mod/sumdb/tlog.
//
// usage: interop LOGDIR LOG.VKEY EVIDENCEDIR
package main

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

func main() {
	if len(os.Args) != 4 {
		fail("usage: interop LOGDIR LOG.VKEY EVIDENCEDIR")
	}
	verifier := openVerifier(os.Args[2])
	tree := openCheckpoint(filepath.Join(os.Args[1], "checkpoint"), verifier)
	fmt.Printf("go note       checkpoint of %s verifies: %d leaves\n", verifier.Name(), tree.N)
	leaves := checkLeaves(os.Args[1], tree)
	fmt.Printf("go tlog       %d leaves agree with the hash tiles and the root\n", len(leaves))
	fmt.Printf("go tlog       %d consistency proofs verify\n", checkConsistency(leaves, tree))
	fmt.Printf("go tlog       %d tlog-proofs of the evidence verify\n", checkProofs(os.Args[3], verifier, leaves))
}

func fail(format string, arguments ...interface{}) {
	fmt.Fprintf(os.Stderr, "go: "+format+"\n", arguments...)
	os.Exit(1)
}

func read(path string) []byte {
	data, err := os.ReadFile(path)
	if err != nil {
		fail("%v", err)
	}
	return data
}

func openVerifier(path string) note.Verifier {
	verifier, err := note.NewVerifier(strings.TrimSpace(string(read(path))))
	if err != nil {
		fail("%s: %v", path, err)
	}
	return verifier
}

func openCheckpoint(path string, verifier note.Verifier) tlog.Tree {
	return parseCheckpoint(path, read(path), verifier)
}

// parseCheckpoint reads the C2SP tlog-checkpoint text: origin, size, root.
func parseCheckpoint(path string, signed []byte, verifier note.Verifier) tlog.Tree {
	opened, err := note.Open(signed, note.VerifierList(verifier))
	if err != nil {
		fail("%s: %v", path, err)
	}
	lines := strings.Split(opened.Text, "\n")
	if len(lines) != 4 || lines[0] != verifier.Name() {
		fail("%s: not a checkpoint of %s: %q", path, verifier.Name(), opened.Text)
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil {
		fail("%s: %v", path, err)
	}
	root, err := base64.StdEncoding.DecodeString(lines[2])
	if err != nil || len(root) != tlog.HashSize {
		fail("%s: root %q: %v", path, lines[2], err)
	}
	tree := tlog.Tree{N: size}
	copy(tree.Hash[:], root)
	return tree
}

// tiles reads C2SP paths: the checksum database's own path without the leading tile height.
type tiles struct{ dir string }

func (t tiles) Height() int { return 8 }

func (t tiles) ReadTiles(wanted []tlog.Tile) ([][]byte, error) {
	var found [][]byte
	for _, tile := range wanted {
		path := strings.Replace(tile.Path(), "tile/8/", "tile/", 1)
		data, err := os.ReadFile(filepath.Join(t.dir, path))
		if err != nil {
			return nil, err
		}
		found = append(found, data)
	}
	return found, nil
}

func (t tiles) SaveTiles([]tlog.Tile, [][]byte) {}

// checkLeaves reads every entry and compares its hash with the one in the authenticated tiles.
func checkLeaves(dir string, tree tlog.Tree) [][]byte {
	var leaves [][]byte
	for n := int64(0); n*256 < tree.N; n++ {
		width := tree.N - n*256
		tile := tlog.Tile{H: 8, L: 0, N: n, W: 256}
		if width < 256 {
			tile.W = int(width)
		}
		path := strings.Replace(tile.Path(), "tile/8/0/", "tile/entries/", 1)
		bundle := read(filepath.Join(dir, path))
		for len(bundle) > 0 {
			if len(bundle) < 2 {
				fail("%s: cut short", path)
			}
			length := int(binary.BigEndian.Uint16(bundle))
			if len(bundle) < 2+length {
				fail("%s: cut short", path)
			}
			leaves = append(leaves, bundle[2:2+length])
			bundle = bundle[2+length:]
		}
	}
	if int64(len(leaves)) != tree.N {
		fail("%d entries, but the checkpoint says %d", len(leaves), tree.N)
	}
	reader := tlog.TileHashReader(tree, tiles{dir})
	for index, leaf := range leaves {
		hashes, err := reader.ReadHashes([]int64{tlog.StoredHashIndex(0, int64(index))})
		if err != nil {
			fail("leaf %d: %v", index, err)
		}
		if hashes[0] != tlog.RecordHash(leaf) {
			fail("leaf %d: its hash is not the one in the tile", index)
		}
	}
	return leaves
}

// stored builds the hash storage of the leaves anew, from nothing but the leaves.
func stored(leaves [][]byte) tlog.HashReaderFunc {
	var hashes []tlog.Hash
	reader := tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		var found []tlog.Hash
		for _, index := range indexes {
			found = append(found, hashes[index])
		}
		return found, nil
	})
	for index, leaf := range leaves {
		added, err := tlog.StoredHashes(int64(index), leaf, reader)
		if err != nil {
			fail("%v", err)
		}
		hashes = append(hashes, added...)
	}
	return reader
}

func checkConsistency(leaves [][]byte, tree tlog.Tree) int {
	reader := stored(leaves)
	root, err := tlog.TreeHash(tree.N, reader)
	if err != nil || root != tree.Hash {
		fail("the root computed from the leaves is not the checkpoint's: %v", err)
	}
	count := 0
	for old := int64(1); old <= tree.N; old++ {
		before, err := tlog.TreeHash(old, reader)
		if err != nil {
			fail("%v", err)
		}
		proof, err := tlog.ProveTree(tree.N, old, reader)
		if err != nil {
			fail("%v", err)
		}
		if err := tlog.CheckTree(proof, tree.N, tree.Hash, old, before); err != nil {
			fail("consistency %d to %d: %v", old, tree.N, err)
		}
		count++
	}
	return count
}

// checkProofs verifies each c2sp.org/tlog-proof@v1 of the evidence against its own checkpoint and leaf.
func checkProofs(dir string, verifier note.Verifier, leaves [][]byte) int {
	paths, err := filepath.Glob(filepath.Join(dir, "proofs", "*.tlog-proof"))
	if err != nil || len(paths) == 0 {
		fail("no proofs in %s", dir)
	}
	for _, path := range paths {
		text := read(path)
		split := bytes.SplitN(text, []byte("\n\n"), 2)
		if len(split) != 2 {
			fail("%s: no checkpoint in it", path)
		}
		lines := strings.Split(string(split[0]), "\n")
		if lines[0] != "c2sp.org/tlog-proof@v1" || len(lines) < 2 || !strings.HasPrefix(lines[1], "index ") {
			fail("%s: not a tlog-proof: %q", path, lines)
		}
		index, err := strconv.ParseInt(strings.TrimPrefix(lines[1], "index "), 10, 64)
		if err != nil {
			fail("%s: %v", path, err)
		}
		var proof tlog.RecordProof
		for _, line := range lines[2:] {
			decoded, err := base64.StdEncoding.DecodeString(line)
			if err != nil || len(decoded) != tlog.HashSize {
				fail("%s: hash %q: %v", path, line, err)
			}
			var hash tlog.Hash
			copy(hash[:], decoded)
			proof = append(proof, hash)
		}
		tree := parseCheckpoint(path, split[1], verifier)
		leaf := read(filepath.Join(dir, "leaves", fmt.Sprintf("%d.json", index)))
		if err := tlog.CheckRecord(proof, tree.N, tree.Hash, index, tlog.RecordHash(leaf)); err != nil {
			fail("%s: %v", path, err)
		}
		if int(index) < len(leaves) && !bytes.Equal(leaf, leaves[index]) {
			fail("%s: leaf %d of the evidence is not that of the log (%s)", path, index, hex.EncodeToString(leaf[:8]))
		}
	}
	return len(paths)
}
